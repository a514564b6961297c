-- question: what did each managed customer pay and use, month by month?
-- reads: features, bills, usage
-- makes: account_months
WITH paid AS (
  SELECT
    customer_id,
    months_ago,
    SUM(amount_fen) AS revenue_fen,
    SUM(CASE WHEN component = 'recurring' THEN amount_fen ELSE 0 END) AS recurring_fen,
    SUM(CASE WHEN component = 'discount' THEN amount_fen ELSE 0 END) AS discount_fen
  FROM bills
  GROUP BY customer_id, months_ago
)
SELECT
  p.customer_id,
  p.months_ago,
  CAST(p.revenue_fen AS BIGINT) AS revenue_fen,
  CAST(p.recurring_fen AS BIGINT) AS recurring_fen,
  CAST(p.discount_fen AS BIGINT) AS discount_fen,
  u.voice_s,
  u.data_kb
FROM features AS f
INNER JOIN paid AS p ON p.customer_id = f.customer_id
LEFT JOIN usage AS u ON u.customer_id = p.customer_id AND u.months_ago = p.months_ago
WHERE f.manager_id IS NOT NULL
ORDER BY p.customer_id, p.months_ago
