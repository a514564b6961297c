-- question: who left within the horizon, by the operator's own record, and after how many months?
-- reads: departures
-- makes: labels
SELECT
  customer_id,
  TRUE AS left_within,
  MIN(CAST(:horizon AS BIGINT) - months_ago) AS left_after
FROM departures
GROUP BY customer_id
