-- question: how much was billed, what margin is in it, and is it falling?
-- reads: bills
-- makes: features
WITH monthly AS (
  SELECT
    customer_id,
    months_ago,
    CAST(SUM(amount_fen) AS BIGINT) AS billed,
    CAST(SUM(amount_fen * :margin_points) AS BIGINT) AS margin_bp,
    CAST(SUM(CASE WHEN component = 'recurring' THEN amount_fen END) AS BIGINT) AS recurring,
    CAST(SUM(CASE WHEN component = 'overage' THEN amount_fen ELSE 0 END) AS BIGINT) AS overage,
    CAST(SUM(CASE WHEN component = 'discount' THEN amount_fen ELSE 0 END) AS BIGINT) AS discount,
    CAST(SUM(CASE WHEN component = 'topup' THEN amount_fen ELSE 0 END) AS BIGINT) AS topup
  FROM bills
  WHERE months_ago <= 11
  GROUP BY customer_id, months_ago
),
summed AS (
  SELECT
    customer_id,
    MAX(months_ago) AS first_ago,
    SUM(CASE WHEN months_ago = 0 THEN billed ELSE 0 END) AS billed_1m,
    SUM(CASE WHEN months_ago <= 2 THEN billed ELSE 0 END) AS billed_3m,
    SUM(CASE WHEN months_ago BETWEEN 3 AND 5 THEN billed ELSE 0 END) AS billed_3m_before,
    SUM(billed) AS billed_12m,
    -- least squares over six months: x = 5, 3, 1, -1, -3, -5 half months, so the sum of x * x is 70
    SUM(CASE WHEN months_ago <= 5 THEN (5 - 2 * months_ago) * billed ELSE 0 END) AS tilt,
    SUM(CASE WHEN billed > 0 THEN 1 ELSE 0 END) AS months_billed,
    SUM(CASE WHEN months_ago = 0 THEN margin_bp ELSE 0 END) AS margin_1m_bp,
    SUM(CASE WHEN months_ago <= 2 THEN margin_bp ELSE 0 END) AS margin_3m_bp,
    SUM(margin_bp) AS margin_12m_bp,
    COUNT(recurring) AS recurring_months,
    SUM(CASE WHEN months_ago = 0 THEN COALESCE(recurring, 0) ELSE 0 END) AS recurring_now,
    SUM(CASE WHEN months_ago = 3 THEN recurring END) AS recurring_then,
    SUM(CASE WHEN months_ago <= 2 THEN overage ELSE 0 END) AS overage_3m,
    SUM(CASE WHEN months_ago <= 2 THEN discount ELSE 0 END) AS discount_3m,
    SUM(CASE WHEN months_ago <= 2 THEN topup ELSE 0 END) AS topup_3m
  FROM monthly
  GROUP BY customer_id
)
SELECT
  customer_id,
  billed_1m AS revenue_fen,
  billed_3m AS revenue_3m_fen,
  billed_12m AS revenue_12m_fen,
  CASE WHEN :bills_6m AND first_ago >= 5 AND billed_3m_before > 0
    THEN (billed_3m - billed_3m_before) / NULLIF(billed_3m_before, 0)
  END AS revenue_change,
  CASE WHEN :bills_6m AND first_ago >= 5 THEN 2 * tilt / 70 END AS revenue_slope_fen,
  months_billed,
  CAST(ROUND(CAST(margin_1m_bp AS DOUBLE) / 10000) AS BIGINT) AS margin_fen,
  CAST(ROUND(CAST(margin_3m_bp AS DOUBLE) / 10000) AS BIGINT) AS margin_3m_fen,
  CAST(ROUND(CAST(margin_12m_bp AS DOUBLE) / 10000) AS BIGINT) AS margin_12m_fen,
  CASE WHEN recurring_months > 0 THEN recurring_now END AS recurring_fen,
  overage_3m AS overage_3m_fen,
  0 - discount_3m AS discount_3m_fen,
  topup_3m AS topup_3m_fen,
  CASE WHEN recurring_then > recurring_now THEN recurring_then - recurring_now
    WHEN recurring_then <= recurring_now THEN 0
  END AS recurring_drop_fen
FROM summed
