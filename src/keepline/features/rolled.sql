-- question: what is carried of each customer, one month later?
-- reads: bills, usage, payments, carried
-- makes: carried
WITH spent AS (
  SELECT
    customer_id,
    CAST(SUM(amount_fen) AS BIGINT) AS billed,
    CAST(SUM(amount_fen * :margin_points) AS BIGINT) AS margin_bp,
    CAST(SUM(CASE WHEN component = 'recurring' THEN amount_fen END) AS BIGINT) AS recurring,
    CAST(SUM(CASE WHEN component = 'overage' THEN amount_fen END) AS BIGINT) AS overage,
    CAST(SUM(CASE WHEN component = 'discount' THEN amount_fen END) AS BIGINT) AS discount,
    CAST(SUM(CASE WHEN component = 'topup' THEN amount_fen END) AS BIGINT) AS topup
  FROM bills
  WHERE months_ago = 0
  GROUP BY customer_id
),
uses AS (
  SELECT
    customer_id,
    1 AS seen,
    MAX(CASE WHEN voice_s > 0 OR voice_in_s > 0 OR roaming_s > 0 OR data_kb > 0 OR sms > 0 OR active_days > 0
      THEN 1 END) AS used,
    SUM(active_days) AS active_days,
    SUM(voice_s) AS voice_s,
    SUM(voice_in_s) AS voice_in_s,
    SUM(offnet_s) AS offnet_s,
    SUM(roaming_s) AS roaming_s,
    SUM(data_kb) AS data_kb,
    SUM(sms) AS sms,
    SUM(topups) AS topups,
    SUM(dropped_calls) AS dropped_calls
  FROM usage
  WHERE months_ago = 0
  GROUP BY customer_id
),
owes AS (
  SELECT
    customer_id,
    SUM(arrears_fen) AS owed_fen,
    MAX(arrears_months) AS owed_months,
    SUM(CASE WHEN arrears_fen > 0 THEN 1 WHEN arrears_fen <= 0 THEN 0 END) AS late
  FROM payments
  WHERE months_ago = 0
  GROUP BY customer_id
),
moved AS (
  SELECT
    COALESCE(was.customer_id, spent.customer_id, uses.customer_id, owes.customer_id) AS customer_id,
    spent.billed AS billed_0, was.billed_0 AS billed_1, was.billed_1 AS billed_2, was.billed_2 AS billed_3,
    was.billed_3 AS billed_4, was.billed_4 AS billed_5, was.billed_5 AS billed_6, was.billed_6 AS billed_7,
    was.billed_7 AS billed_8, was.billed_8 AS billed_9, was.billed_9 AS billed_10, was.billed_10 AS billed_11,
    spent.margin_bp AS margin_0_bp, was.margin_0_bp AS margin_1_bp, was.margin_1_bp AS margin_2_bp,
    was.margin_2_bp AS margin_3_bp, was.margin_3_bp AS margin_4_bp, was.margin_4_bp AS margin_5_bp,
    was.margin_5_bp AS margin_6_bp, was.margin_6_bp AS margin_7_bp, was.margin_7_bp AS margin_8_bp,
    was.margin_8_bp AS margin_9_bp, was.margin_9_bp AS margin_10_bp, was.margin_10_bp AS margin_11_bp,
    spent.recurring AS recurring_0, was.recurring_0 AS recurring_1, was.recurring_1 AS recurring_2,
    was.recurring_2 AS recurring_3,
    (COALESCE(was.recurring_months, 0) * 2 & 4094)
      + CASE WHEN spent.recurring IS NOT NULL THEN 1 ELSE 0 END AS recurring_months,
    spent.overage AS overage_0, was.overage_0 AS overage_1, was.overage_1 AS overage_2,
    spent.discount AS discount_0, was.discount_0 AS discount_1, was.discount_1 AS discount_2,
    spent.topup AS topup_0, was.topup_0 AS topup_1, was.topup_1 AS topup_2,
    (COALESCE(was.seen_months, 0) * 2 & 62) + COALESCE(uses.seen, 0) AS seen_months,
    (COALESCE(was.used_months, 0) * 2 & 62) + COALESCE(uses.used, 0) AS used_months, uses.active_days,
    uses.voice_s AS voice_s_0, was.voice_s_0 AS voice_s_1, was.voice_s_1 AS voice_s_2,
    uses.voice_in_s AS voice_in_s_0, was.voice_in_s_0 AS voice_in_s_1, was.voice_in_s_1 AS voice_in_s_2,
    uses.offnet_s AS offnet_s_0, was.offnet_s_0 AS offnet_s_1, was.offnet_s_1 AS offnet_s_2,
    uses.roaming_s AS roaming_s_0, was.roaming_s_0 AS roaming_s_1, was.roaming_s_1 AS roaming_s_2,
    uses.data_kb AS data_kb_0, was.data_kb_0 AS data_kb_1, was.data_kb_1 AS data_kb_2, uses.sms AS sms_0,
    was.sms_0 AS sms_1, was.sms_1 AS sms_2, uses.topups AS topups_0, was.topups_0 AS topups_1,
    was.topups_1 AS topups_2, uses.dropped_calls AS dropped_calls_0, was.dropped_calls_0 AS dropped_calls_1,
    was.dropped_calls_1 AS dropped_calls_2, owes.owed_fen, owes.owed_months, owes.late AS late_0,
    was.late_0 AS late_1, was.late_1 AS late_2, was.late_2 AS late_3, was.late_3 AS late_4, was.late_4 AS late_5
  FROM carried AS was
  FULL JOIN spent ON spent.customer_id = was.customer_id
  FULL JOIN uses ON uses.customer_id = COALESCE(was.customer_id, spent.customer_id)
  FULL JOIN owes ON owes.customer_id = COALESCE(was.customer_id, spent.customer_id, uses.customer_id)
)
SELECT
  customer_id, billed_0, billed_1, billed_2, billed_3, billed_4, billed_5, billed_6, billed_7, billed_8, billed_9,
  billed_10, billed_11, margin_0_bp, margin_1_bp, margin_2_bp, margin_3_bp, margin_4_bp, margin_5_bp, margin_6_bp,
  margin_7_bp, margin_8_bp, margin_9_bp, margin_10_bp, margin_11_bp, recurring_0, recurring_1, recurring_2,
  recurring_3, overage_0, overage_1, overage_2, discount_0, discount_1, discount_2, topup_0, topup_1, topup_2,
  voice_s_0, voice_s_1, voice_s_2, voice_in_s_0, voice_in_s_1, voice_in_s_2, offnet_s_0, offnet_s_1, offnet_s_2,
  roaming_s_0, roaming_s_1, roaming_s_2, data_kb_0, data_kb_1, data_kb_2, sms_0, sms_1, sms_2, topups_0, topups_1,
  topups_2, dropped_calls_0, dropped_calls_1, dropped_calls_2, late_0, late_1, late_2, late_3, late_4, late_5,
  NULLIF(recurring_months, 0) AS recurring_months, NULLIF(seen_months, 0) AS seen_months,
  NULLIF(used_months, 0) AS used_months, active_days, owed_fen, owed_months
FROM moved
WHERE COALESCE(
  billed_0, billed_1, billed_2, billed_3, billed_4, billed_5, billed_6, billed_7, billed_8, billed_9, billed_10,
  billed_11, NULLIF(seen_months, 0), owed_fen, owed_months, late_0, late_1, late_2, late_3, late_4, late_5
) IS NOT NULL
