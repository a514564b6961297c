-- question: how much was billed, what margin is in it, and is it falling?
-- reads: carried
-- makes: features
WITH summed AS (
  SELECT
    customer_id,
    COALESCE(
      CASE WHEN billed_11 IS NOT NULL THEN 11 END, CASE WHEN billed_10 IS NOT NULL THEN 10 END,
      CASE WHEN billed_9 IS NOT NULL THEN 9 END, CASE WHEN billed_8 IS NOT NULL THEN 8 END,
      CASE WHEN billed_7 IS NOT NULL THEN 7 END, CASE WHEN billed_6 IS NOT NULL THEN 6 END,
      CASE WHEN billed_5 IS NOT NULL THEN 5 END, CASE WHEN billed_4 IS NOT NULL THEN 4 END,
      CASE WHEN billed_3 IS NOT NULL THEN 3 END, CASE WHEN billed_2 IS NOT NULL THEN 2 END,
      CASE WHEN billed_1 IS NOT NULL THEN 1 END, CASE WHEN billed_0 IS NOT NULL THEN 0 END
    ) AS first_ago,
    COALESCE(billed_0, 0) AS billed_1m,
    COALESCE(billed_0, 0) + COALESCE(billed_1, 0) + COALESCE(billed_2, 0) AS billed_3m,
    COALESCE(billed_3, 0) + COALESCE(billed_4, 0) + COALESCE(billed_5, 0) AS billed_3m_before,
    COALESCE(billed_0, 0) + COALESCE(billed_1, 0) + COALESCE(billed_2, 0) + COALESCE(billed_3, 0)
      + COALESCE(billed_4, 0) + COALESCE(billed_5, 0) + COALESCE(billed_6, 0) + COALESCE(billed_7, 0)
      + COALESCE(billed_8, 0) + COALESCE(billed_9, 0) + COALESCE(billed_10, 0) + COALESCE(billed_11, 0) AS billed_12m,
    -- least squares over six months: x = 5, 3, 1, -1, -3, -5 half months, so the sum of x * x is 70
    5 * COALESCE(billed_0, 0) + 3 * COALESCE(billed_1, 0) + COALESCE(billed_2, 0)
      - COALESCE(billed_3, 0) - 3 * COALESCE(billed_4, 0) - 5 * COALESCE(billed_5, 0) AS tilt,
    CASE WHEN billed_0 > 0 THEN 1 ELSE 0 END + CASE WHEN billed_1 > 0 THEN 1 ELSE 0 END
      + CASE WHEN billed_2 > 0 THEN 1 ELSE 0 END + CASE WHEN billed_3 > 0 THEN 1 ELSE 0 END
      + CASE WHEN billed_4 > 0 THEN 1 ELSE 0 END + CASE WHEN billed_5 > 0 THEN 1 ELSE 0 END
      + CASE WHEN billed_6 > 0 THEN 1 ELSE 0 END + CASE WHEN billed_7 > 0 THEN 1 ELSE 0 END
      + CASE WHEN billed_8 > 0 THEN 1 ELSE 0 END + CASE WHEN billed_9 > 0 THEN 1 ELSE 0 END
      + CASE WHEN billed_10 > 0 THEN 1 ELSE 0 END + CASE WHEN billed_11 > 0 THEN 1 ELSE 0 END AS months_billed,
    COALESCE(margin_0_bp, 0) AS margin_1m_bp,
    COALESCE(margin_0_bp, 0) + COALESCE(margin_1_bp, 0) + COALESCE(margin_2_bp, 0) AS margin_3m_bp,
    COALESCE(margin_0_bp, 0) + COALESCE(margin_1_bp, 0) + COALESCE(margin_2_bp, 0) + COALESCE(margin_3_bp, 0)
      + COALESCE(margin_4_bp, 0) + COALESCE(margin_5_bp, 0) + COALESCE(margin_6_bp, 0) + COALESCE(margin_7_bp, 0)
      + COALESCE(margin_8_bp, 0) + COALESCE(margin_9_bp, 0) + COALESCE(margin_10_bp, 0)
      + COALESCE(margin_11_bp, 0) AS margin_12m_bp,
    recurring_ago,
    COALESCE(recurring_0, 0) AS recurring_now,
    recurring_3 AS recurring_then,
    COALESCE(overage_0, 0) + COALESCE(overage_1, 0) + COALESCE(overage_2, 0) AS overage_3m,
    COALESCE(discount_0, 0) + COALESCE(discount_1, 0) + COALESCE(discount_2, 0) AS discount_3m,
    COALESCE(topup_0, 0) + COALESCE(topup_1, 0) + COALESCE(topup_2, 0) AS topup_3m
  FROM carried
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
  CASE WHEN recurring_ago IS NOT NULL THEN recurring_now END AS recurring_fen,
  overage_3m AS overage_3m_fen,
  0 - discount_3m AS discount_3m_fen,
  topup_3m AS topup_3m_fen,
  CASE WHEN recurring_then > recurring_now THEN recurring_then - recurring_now
    WHEN recurring_then <= recurring_now THEN 0
  END AS recurring_drop_fen
FROM summed
WHERE first_ago IS NOT NULL
