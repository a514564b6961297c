-- question: which quotes may be learnt from, and with which others does each compare?
-- reads: price_quotes, alike
-- makes: price_quoted
WITH aimed AS (
  SELECT
    customer_id,
    product_id,
    month,
    ROW_NUMBER() OVER (PARTITION BY product_id, month ORDER BY aim, customer_id) AS place,
    COUNT(*) OVER (PARTITION BY product_id, month) AS quoted
  FROM price_quotes
  WHERE NOT COALESCE(by_lot, FALSE) AND aim IS NOT NULL
),
banded AS (
  SELECT
    q.*,
    CASE WHEN COALESCE(q.by_lot, FALSE) THEN 0
      ELSE 1 + CAST(FLOOR(20 * (d.place - 1) / NULLIF(d.quoted, 0)) AS BIGINT)
    END AS band
  FROM price_quotes AS q
  LEFT JOIN aimed AS d ON d.customer_id = q.customer_id AND d.product_id = q.product_id AND d.month = q.month
)
SELECT
  b.customer_id,
  a.segment,
  b.product_id,
  b.month,
  b.band,
  b.price_fen,
  b.list_price_fen,
  b.bought
FROM banded AS b
JOIN alike AS a ON a.customer_id = b.customer_id
WHERE b.band IS NOT NULL AND b.bought >= 0 AND b.price_fen > 0 AND b.list_price_fen > 0
