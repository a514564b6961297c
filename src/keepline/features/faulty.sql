-- question: how often did the network fail in each district?
-- reads: network_faults
-- makes: features
SELECT
  district,
  SUM(faults) AS district_faults_3m
FROM network_faults
WHERE months_ago <= 2
GROUP BY district
