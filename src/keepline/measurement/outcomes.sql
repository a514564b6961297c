-- question: who was still there at the end of the window, who left when, and what margin did each bring?
-- reads: people, gone, bills
-- makes: outcomes
WITH billed AS (
  SELECT
    p.customer_id,
    b.months_ago,
    SUM(b.amount_fen * :margin_points) AS margin_points
  FROM people AS p
  JOIN bills AS b ON b.customer_id = p.customer_id
  GROUP BY p.customer_id, b.months_ago
), margins AS (
  SELECT
    b.customer_id,
    SUM(CASE WHEN g.left_after IS NULL OR :months - b.months_ago < g.left_after THEN b.margin_points ELSE 0 END)
      AS stayed_points,
    SUM(b.margin_points) AS points
  FROM billed AS b
  LEFT JOIN gone AS g ON g.customer_id = b.customer_id
  GROUP BY b.customer_id
)
SELECT
  p.customer_id,
  p.month,
  g.left_after,
  COALESCE(g.left_after - 1, :months) AS months_stayed,
  CAST(ROUND(CAST(COALESCE(m.stayed_points, 0) AS DOUBLE) / 10000) AS BIGINT) AS margin_stayed_fen,
  CAST(ROUND(CAST(COALESCE(m.points, 0) AS DOUBLE) / 10000) AS BIGINT) AS margin_fen
FROM people AS p
LEFT JOIN gone AS g ON g.customer_id = p.customer_id
LEFT JOIN margins AS m ON m.customer_id = p.customer_id
