-- question: who had a whole month without any use and any bill within the horizon?
-- reads: features, bills, usage
-- makes: labels
WITH billed AS (
  SELECT customer_id, months_ago
  FROM bills
  GROUP BY customer_id, months_ago
  HAVING SUM(amount_fen) > 0
),
alive AS (
  SELECT customer_id, months_ago FROM billed
  UNION ALL
  SELECT customer_id, months_ago
  FROM usage
  WHERE voice_s > 0 OR voice_in_s > 0 OR roaming_s > 0 OR data_kb > 0 OR sms > 0 OR active_days > 0
),
counted AS (
  SELECT customer_id, COUNT(DISTINCT months_ago) AS months_alive
  FROM alive
  GROUP BY customer_id
)
SELECT
  f.customer_id,
  COALESCE(c.months_alive, 0) < :horizon AS left_within
FROM features AS f
LEFT JOIN counted AS c ON c.customer_id = f.customer_id
