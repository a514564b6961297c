-- question: who was still there at the end of the window, who left when, and what margin did each bring?
-- reads: people, gone, bills
-- makes: outcomes
WITH billed AS (
  SELECT
    p.customer_id,
    b.months_ago,
    SUM(CASE b.component
      WHEN 'recurring' THEN b.amount_fen * :recurring_bp
      WHEN 'overage' THEN b.amount_fen * :overage_bp
      WHEN 'roaming' THEN b.amount_fen * :roaming_bp
      WHEN 'value_added' THEN b.amount_fen * :value_added_bp
      WHEN 'topup' THEN b.amount_fen * :topup_bp
      WHEN 'one_off' THEN b.amount_fen * :one_off_bp
      WHEN 'discount' THEN b.amount_fen * :discount_bp
      WHEN 'credit' THEN b.amount_fen * :credit_bp
      ELSE 0 END) AS margin_points
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
