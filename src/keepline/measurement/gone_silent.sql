-- question: which is the first month of the window without any use and any bill?
-- reads: people, bills, usage
-- makes: outcomes
WITH seen AS (
  SELECT p.customer_id, b.months_ago
  FROM people AS p
  JOIN bills AS b ON b.customer_id = p.customer_id
  GROUP BY p.customer_id, b.months_ago
  HAVING SUM(b.amount_fen) > 0
  UNION
  SELECT p.customer_id, u.months_ago
  FROM people AS p
  JOIN usage AS u ON u.customer_id = p.customer_id
  WHERE u.voice_s > 0 OR u.voice_in_s > 0 OR u.roaming_s > 0 OR u.data_kb > 0 OR u.sms > 0 OR u.active_days > 0
), numbered AS (
  SELECT
    customer_id,
    CAST(:months AS BIGINT) - months_ago AS month_number,
    ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY months_ago DESC) AS seen_number
  FROM seen
), unbroken AS (
  SELECT customer_id, COUNT(*) AS months_seen
  FROM numbered
  WHERE month_number = seen_number
  GROUP BY customer_id
)
SELECT
  p.customer_id,
  CASE WHEN COALESCE(u.months_seen, 0) < :months THEN COALESCE(u.months_seen, 0) + 1 END AS left_after
FROM people AS p
LEFT JOIN unbroken AS u ON u.customer_id = p.customer_id
