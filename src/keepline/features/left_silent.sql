-- question: who had a whole month without any use and any bill within the horizon, and which was the first?
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
  UNION
  SELECT customer_id, months_ago
  FROM usage
  WHERE voice_s > 0 OR voice_in_s > 0 OR roaming_s > 0 OR data_kb > 0 OR sms > 0 OR active_days > 0
),
numbered AS (
  SELECT
    customer_id,
    CAST(:horizon AS BIGINT) - months_ago AS month_number,
    ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY months_ago DESC) AS alive_number
  FROM alive
),
unbroken AS (
  SELECT customer_id, COUNT(*) AS months_alive
  FROM numbered
  WHERE month_number = alive_number
  GROUP BY customer_id
)
SELECT
  f.customer_id,
  COALESCE(u.months_alive, 0) < :horizon AS left_within,
  CASE WHEN COALESCE(u.months_alive, 0) < :horizon THEN COALESCE(u.months_alive, 0) + 1 END AS left_after
FROM features AS f
LEFT JOIN unbroken AS u ON u.customer_id = f.customer_id
