-- question: what did the published value promise, and what margin followed?
-- reads: people, scores, bills, discounts
-- makes: value_sums
WITH followed AS (
  SELECT
    p.customer_id,
    SUM(d.factor * (b.amount_fen * :margin_points)) / 10000 AS margin_fen
  FROM people AS p
  JOIN bills AS b ON b.customer_id = p.customer_id
  JOIN discounts AS d ON d.months_ago = b.months_ago
  GROUP BY p.customer_id
), compared AS (
  SELECT
    s.value_fen - COALESCE(s.word_of_mouth_fen, 0) AS predicted_fen,
    CAST(ROUND(COALESCE(f.margin_fen, 0)) AS BIGINT) AS realised_fen
  FROM people AS p
  JOIN scores AS s ON s.customer_id = p.customer_id
  LEFT JOIN followed AS f ON f.customer_id = p.customer_id
  WHERE s.value_fen IS NOT NULL
)
SELECT
  CAST(:plan_month AS VARCHAR) AS month,
  COUNT(*) AS customers,
  CAST(COALESCE(SUM(predicted_fen), 0) AS BIGINT) AS predicted_fen,
  CAST(COALESCE(SUM(realised_fen), 0) AS BIGINT) AS realised_fen
FROM compared
