-- question: who left within the horizon, by the operator's own record?
-- reads: departures
-- makes: labels
SELECT DISTINCT
  customer_id,
  TRUE AS left_within
FROM departures
