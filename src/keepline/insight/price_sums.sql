-- question: did a customer buy more or less at dear prices than those alike would have, and how much does that tell?
-- reads: quoted, price_levels
-- makes: price_sums
WITH met AS (
  SELECT
    q.customer_id,
    q.product_id,
    COUNT(*) AS quotes,
    SUM(q.bought) AS bought,
    SUM(q.bought * l.log_price) AS bought_x,
    SUM(q.bought * q.bought / NULLIF(l.expected, 0)) AS squares,
    SUM(l.expected) AS expected,
    SUM(l.expected * l.log_price) AS expected_x,
    SUM(l.expected * l.log_price * l.log_price) AS expected_xx
  FROM quoted AS q
  JOIN price_levels AS l ON l.segment = q.segment AND l.product_id = q.product_id AND l.month = q.month
    AND l.band = q.band AND l.price_fen = q.price_fen AND l.list_price_fen = q.list_price_fen
  GROUP BY q.customer_id, q.product_id
)
SELECT
  customer_id,
  CAST(SUM(quotes) AS BIGINT) AS quotes,
  SUM(bought) AS bought,
  ROUND(SUM(bought_x - bought * expected_x / NULLIF(expected, 0)), 9) AS score,
  ROUND(SUM(bought * (expected_xx / NULLIF(expected, 0)
    - expected_x * expected_x / NULLIF(expected * expected, 0))), 9) AS information,
  ROUND(SUM(CASE WHEN bought > 0 THEN expected_xx / NULLIF(expected, 0)
    - expected_x * expected_x / NULLIF(expected * expected, 0) ELSE 0 END), 9) AS of_one,
  ROUND(SUM(CASE WHEN bought > 0 THEN squares * expected / NULLIF(bought, 0) - bought ELSE 0 END), 9) AS scattered,
  CAST(SUM(CASE WHEN bought > 0 THEN quotes - 1 ELSE 0 END) AS BIGINT) AS freedom
FROM met
GROUP BY customer_id
