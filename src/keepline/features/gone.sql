-- question: who has left, and not come back?
-- reads: departures, bills, usage
-- makes: departures
WITH gone AS (
  SELECT customer_id, MIN(months_ago) AS left_ago
  FROM departures
  GROUP BY customer_id
),
billed AS (
  SELECT customer_id, months_ago
  FROM bills
  GROUP BY customer_id, months_ago
  HAVING SUM(amount_fen) > 0
),
billed_again AS (
  SELECT customer_id, MIN(months_ago) AS billed_ago
  FROM billed
  GROUP BY customer_id
),
used_again AS (
  SELECT customer_id, MIN(months_ago) AS used_ago
  FROM usage
  WHERE voice_s > 0 OR voice_in_s > 0 OR roaming_s > 0 OR data_kb > 0 OR sms > 0 OR active_days > 0
  GROUP BY customer_id
)
-- a last bill often follows a departure, so where usage is known it must have begun again too
SELECT g.customer_id
FROM gone AS g
LEFT JOIN billed_again AS b ON b.customer_id = g.customer_id AND b.billed_ago < g.left_ago
LEFT JOIN used_again AS u ON u.customer_id = g.customer_id AND u.used_ago < g.left_ago
WHERE b.customer_id IS NULL OR (u.customer_id IS NULL AND :usage_1m)
