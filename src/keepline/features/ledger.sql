-- question: what was billed, used and owed, and is it falling?
-- reads: carried
-- makes: features
-- One model, because what is carried is as wide as the features: read once it costs a third of reading it for each.
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
    recurring_months, seen_months,
    COALESCE(recurring_0, 0) AS recurring_now,
    recurring_3 AS recurring_then,
    COALESCE(overage_0, 0) + COALESCE(overage_1, 0) + COALESCE(overage_2, 0) AS overage_3m,
    COALESCE(discount_0, 0) + COALESCE(discount_1, 0) + COALESCE(discount_2, 0) AS discount_3m,
    COALESCE(topup_0, 0) + COALESCE(topup_1, 0) + COALESCE(topup_2, 0) AS topup_3m,
    voice_s_0 AS voice_1m,
    CASE WHEN COALESCE(voice_s_0, voice_s_1, voice_s_2) IS NOT NULL
      THEN COALESCE(voice_s_0, 0) + COALESCE(voice_s_1, 0) + COALESCE(voice_s_2, 0) END AS voice_3m,
    CASE WHEN COALESCE(voice_s_1, voice_s_2) IS NOT NULL
      THEN COALESCE(voice_s_1, 0) + COALESCE(voice_s_2, 0) END AS voice_2m_before,
    CASE WHEN COALESCE(voice_in_s_0, voice_in_s_1, voice_in_s_2) IS NOT NULL
      THEN COALESCE(voice_in_s_0, 0) + COALESCE(voice_in_s_1, 0) + COALESCE(voice_in_s_2, 0) END AS voice_in_3m,
    CASE WHEN COALESCE(offnet_s_0, offnet_s_1, offnet_s_2) IS NOT NULL
      THEN COALESCE(offnet_s_0, 0) + COALESCE(offnet_s_1, 0) + COALESCE(offnet_s_2, 0) END AS offnet_3m,
    CASE WHEN COALESCE(roaming_s_0, roaming_s_1, roaming_s_2) IS NOT NULL
      THEN COALESCE(roaming_s_0, 0) + COALESCE(roaming_s_1, 0) + COALESCE(roaming_s_2, 0) END AS roaming_3m,
    data_kb_0 AS data_1m,
    CASE WHEN COALESCE(data_kb_0, data_kb_1, data_kb_2) IS NOT NULL
      THEN COALESCE(data_kb_0, 0) + COALESCE(data_kb_1, 0) + COALESCE(data_kb_2, 0) END AS data_3m,
    CASE WHEN COALESCE(data_kb_1, data_kb_2) IS NOT NULL
      THEN COALESCE(data_kb_1, 0) + COALESCE(data_kb_2, 0) END AS data_2m_before,
    CASE WHEN COALESCE(sms_0, sms_1, sms_2) IS NOT NULL
      THEN COALESCE(sms_0, 0) + COALESCE(sms_1, 0) + COALESCE(sms_2, 0) END AS sms_3m,
    CASE WHEN COALESCE(topups_0, topups_1, topups_2) IS NOT NULL
      THEN COALESCE(topups_0, 0) + COALESCE(topups_1, 0) + COALESCE(topups_2, 0) END AS topups_3m,
    active_days,
    CASE WHEN (used_months & 1) > 0 THEN 0 WHEN (used_months & 2) > 0 THEN 1
      WHEN (used_months & 4) > 0 THEN 2 WHEN (used_months & 8) > 0 THEN 3
      WHEN (used_months & 16) > 0 THEN 4 WHEN (used_months & 32) > 0 THEN 5 END AS used_ago,
    CASE WHEN COALESCE(dropped_calls_0, dropped_calls_1, dropped_calls_2) IS NOT NULL
      THEN COALESCE(dropped_calls_0, 0) + COALESCE(dropped_calls_1, 0) + COALESCE(dropped_calls_2, 0)
    END AS dropped_calls_3m,
    owed_fen,
    owed_months,
    CASE WHEN COALESCE(late_0, late_1, late_2, late_3, late_4, late_5) IS NOT NULL
      THEN COALESCE(late_0, 0) + COALESCE(late_1, 0) + COALESCE(late_2, 0) + COALESCE(late_3, 0)
        + COALESCE(late_4, 0) + COALESCE(late_5, 0)
    END AS late_6m
  FROM carried
)
SELECT
  customer_id,
  -- revenue alone tells whether there was any bill
  CASE WHEN first_ago IS NOT NULL THEN billed_1m END AS revenue_fen,
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
  CASE WHEN recurring_months IS NOT NULL THEN recurring_now END AS recurring_fen,
  overage_3m AS overage_3m_fen,
  0 - discount_3m AS discount_3m_fen,
  topup_3m AS topup_3m_fen,
  CASE WHEN recurring_then > recurring_now THEN recurring_then - recurring_now
    WHEN recurring_then <= recurring_now THEN 0
  END AS recurring_drop_fen,
  voice_1m AS voice_s,
  voice_3m AS voice_3m_s,
  CASE WHEN :voice_s_each_3m AND seen_months >= 4  -- a bit from four on: a month before these two
    THEN (2 * COALESCE(voice_1m, 0) - voice_2m_before) / NULLIF(voice_2m_before, 0)
  END AS voice_change,
  voice_in_3m AS voice_in_3m_s,
  offnet_3m / NULLIF(voice_3m, 0) AS offnet_share,
  roaming_3m AS roaming_3m_s,
  data_1m AS data_kb,
  data_3m AS data_3m_kb,
  CASE WHEN :data_kb_each_3m AND seen_months >= 4
    THEN (2 * COALESCE(data_1m, 0) - data_2m_before) / NULLIF(data_2m_before, 0)
  END AS data_change,
  sms_3m,
  topups_3m,
  active_days,
  CASE WHEN :usage_1m THEN used_ago END AS months_silent,
  dropped_calls_3m,
  owed_fen AS arrears_fen,
  owed_months AS arrears_months,
  late_6m
FROM summed
