-- question: of each offer and arm of a plan, how many stayed, what margin did they bring, what did they cost?
-- reads: assignments, outcomes, deliveries, approvals, decisions
-- makes: arm_sums
WITH proof AS (
  SELECT customer_id, offer_id, cost_fen
  FROM deliveries
  WHERE plan_month = :plan_month AND NOT COALESCE(withdrawn, FALSE)
), by_hand AS (
  SELECT customer_id
  FROM approvals
  WHERE decision = 'approved' AND NOT (COALESCE(planned, FALSE) AND plan_month = :plan_month)
  GROUP BY customer_id
), compared AS (
  SELECT
    a.offer_id,
    a.arm,
    COALESCE(a.gain_fen, 0) AS gain_fen,
    COALESCE(a.cost_fen, 0) AS expected_cost_fen,
    COALESCE(a.margin_before_fen, 0) AS before_fen,
    o.margin_fen,
    CASE WHEN o.left_after IS NULL THEN 1 ELSE 0 END AS stayed,
    CASE WHEN a.arm = 'treated' AND p.customer_id IS NOT NULL THEN 1 ELSE 0 END AS delivered,
    CASE WHEN a.arm = 'treated' AND p.customer_id IS NOT NULL
      THEN COALESCE(p.cost_fen, d.cost_fen, 0) ELSE 0 END AS cost_fen,
    CASE WHEN h.customer_id IS NOT NULL THEN 1 ELSE 0 END AS given
  FROM assignments AS a
  JOIN outcomes AS o ON o.customer_id = a.customer_id
  LEFT JOIN proof AS p ON p.customer_id = a.customer_id AND p.offer_id = a.offer_id
  LEFT JOIN by_hand AS h ON h.customer_id = a.customer_id
  LEFT JOIN decisions AS d ON d.customer_id = a.customer_id
  WHERE a.by_rule
)
SELECT
  offer_id,
  arm,
  COUNT(*) AS customers,
  CAST(SUM(delivered) AS BIGINT) AS delivered,
  CAST(SUM(stayed) AS BIGINT) AS stayed,
  CAST(SUM(cost_fen) AS BIGINT) AS cost_fen,
  CAST(SUM(gain_fen) AS BIGINT) AS gain_fen,
  CAST(SUM(margin_fen) AS BIGINT) AS margin_fen,
  CAST(SUM(before_fen) AS BIGINT) AS before_fen,
  SUM(CAST(margin_fen AS DOUBLE) * margin_fen) AS margin_squares,
  SUM(CAST(before_fen AS DOUBLE) * before_fen) AS before_squares,
  SUM(CAST(margin_fen AS DOUBLE) * before_fen) AS products,
  CAST(SUM(given) AS BIGINT) AS given,
  CAST(SUM(expected_cost_fen) AS BIGINT) AS expected_cost_fen
FROM compared
GROUP BY offer_id, arm
