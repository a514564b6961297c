-- question: who has left, and not come back?
-- reads: departures, bills, usage
-- makes: departures
WITH gone AS (
  SELECT customer_id, MIN(months_ago) AS left_ago
  FROM departures
  GROUP BY customer_id
),
billed_again AS (
  SELECT b.customer_id, b.months_ago
  FROM gone AS g
  JOIN bills AS b ON b.customer_id = g.customer_id AND b.months_ago < g.left_ago
  GROUP BY b.customer_id, b.months_ago
  HAVING SUM(b.amount_fen) > 0
),
used_again AS (
  SELECT u.customer_id
  FROM gone AS g
  JOIN usage AS u ON u.customer_id = g.customer_id AND u.months_ago < g.left_ago
  WHERE u.voice_s > 0 OR u.voice_in_s > 0 OR u.roaming_s > 0 OR u.data_kb > 0 OR u.sms > 0 OR u.active_days > 0
),
back AS (
  SELECT DISTINCT b.customer_id, u.customer_id IS NOT NULL AS used
  FROM billed_again AS b
  LEFT JOIN used_again AS u ON u.customer_id = b.customer_id
)
-- a last bill often follows a departure, so where usage is known it must have begun again too
SELECT g.customer_id
FROM gone AS g
LEFT JOIN back AS b ON b.customer_id = g.customer_id
WHERE b.customer_id IS NULL OR (NOT b.used AND :usage_1m)
