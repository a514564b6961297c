-- question: what was billed, used and owed in each month that a feature looks back to?
-- reads: bills, usage, payments
-- makes: carried
WITH billed AS (
  SELECT
    customer_id,
    months_ago AS ago,
    amount_fen AS fen,
    amount_fen * :margin_points AS bp,
    CASE WHEN component = 'recurring' THEN amount_fen END AS recurring,
    CASE WHEN component = 'overage' THEN amount_fen END AS overage,
    CASE WHEN component = 'discount' THEN amount_fen END AS discount,
    CASE WHEN component = 'topup' THEN amount_fen END AS topup,
    CASE WHEN component = 'recurring' AND amount_fen IS NOT NULL THEN CASE months_ago
      WHEN 0 THEN 1 WHEN 1 THEN 2 WHEN 2 THEN 4 WHEN 3 THEN 8 WHEN 4 THEN 16 WHEN 5 THEN 32
      WHEN 6 THEN 64 WHEN 7 THEN 128 WHEN 8 THEN 256 WHEN 9 THEN 512 WHEN 10 THEN 1024 WHEN 11 THEN 2048
    END END AS recurring_month
  FROM bills
  WHERE months_ago <= 11
),
-- in one step: a group for each month of each customer would be ten times as many, and twice the work
spent AS (
  SELECT
    customer_id,
    SUM(CASE WHEN ago = 0 THEN fen END) AS billed_0, SUM(CASE WHEN ago = 1 THEN fen END) AS billed_1,
    SUM(CASE WHEN ago = 2 THEN fen END) AS billed_2, SUM(CASE WHEN ago = 3 THEN fen END) AS billed_3,
    SUM(CASE WHEN ago = 4 THEN fen END) AS billed_4, SUM(CASE WHEN ago = 5 THEN fen END) AS billed_5,
    SUM(CASE WHEN ago = 6 THEN fen END) AS billed_6, SUM(CASE WHEN ago = 7 THEN fen END) AS billed_7,
    SUM(CASE WHEN ago = 8 THEN fen END) AS billed_8, SUM(CASE WHEN ago = 9 THEN fen END) AS billed_9,
    SUM(CASE WHEN ago = 10 THEN fen END) AS billed_10, SUM(CASE WHEN ago = 11 THEN fen END) AS billed_11,
    SUM(CASE WHEN ago = 0 THEN bp END) AS margin_0_bp, SUM(CASE WHEN ago = 1 THEN bp END) AS margin_1_bp,
    SUM(CASE WHEN ago = 2 THEN bp END) AS margin_2_bp, SUM(CASE WHEN ago = 3 THEN bp END) AS margin_3_bp,
    SUM(CASE WHEN ago = 4 THEN bp END) AS margin_4_bp, SUM(CASE WHEN ago = 5 THEN bp END) AS margin_5_bp,
    SUM(CASE WHEN ago = 6 THEN bp END) AS margin_6_bp, SUM(CASE WHEN ago = 7 THEN bp END) AS margin_7_bp,
    SUM(CASE WHEN ago = 8 THEN bp END) AS margin_8_bp, SUM(CASE WHEN ago = 9 THEN bp END) AS margin_9_bp,
    SUM(CASE WHEN ago = 10 THEN bp END) AS margin_10_bp, SUM(CASE WHEN ago = 11 THEN bp END) AS margin_11_bp,
    SUM(CASE WHEN ago = 0 THEN recurring END) AS recurring_0,
    SUM(CASE WHEN ago = 1 THEN recurring END) AS recurring_1,
    SUM(CASE WHEN ago = 2 THEN recurring END) AS recurring_2,
    SUM(CASE WHEN ago = 3 THEN recurring END) AS recurring_3,
    BIT_OR(recurring_month) AS recurring_months,
    SUM(CASE WHEN ago = 0 THEN overage END) AS overage_0, SUM(CASE WHEN ago = 1 THEN overage END) AS overage_1,
    SUM(CASE WHEN ago = 2 THEN overage END) AS overage_2, SUM(CASE WHEN ago = 0 THEN discount END) AS discount_0,
    SUM(CASE WHEN ago = 1 THEN discount END) AS discount_1, SUM(CASE WHEN ago = 2 THEN discount END) AS discount_2,
    SUM(CASE WHEN ago = 0 THEN topup END) AS topup_0, SUM(CASE WHEN ago = 1 THEN topup END) AS topup_1,
    SUM(CASE WHEN ago = 2 THEN topup END) AS topup_2
  FROM billed
  GROUP BY customer_id
),
told AS (
  SELECT
    customer_id, voice_s, voice_in_s, offnet_s, roaming_s, data_kb, sms, topups, dropped_calls, active_days,
    months_ago AS ago,
    CASE months_ago WHEN 0 THEN 1 WHEN 1 THEN 2 WHEN 2 THEN 4 WHEN 3 THEN 8 WHEN 4 THEN 16 WHEN 5 THEN 32 END AS bit
  FROM usage
  WHERE months_ago <= 5
),
uses AS (
  SELECT
    customer_id,
    BIT_OR(bit) AS seen_months,
    BIT_OR(CASE WHEN voice_s > 0 OR voice_in_s > 0 OR roaming_s > 0 OR data_kb > 0 OR sms > 0 OR active_days > 0
      THEN bit END) AS used_months,
    SUM(CASE WHEN ago = 0 THEN active_days END) AS active_days,
    SUM(CASE WHEN ago = 0 THEN voice_s END) AS voice_s_0, SUM(CASE WHEN ago = 1 THEN voice_s END) AS voice_s_1,
    SUM(CASE WHEN ago = 2 THEN voice_s END) AS voice_s_2, SUM(CASE WHEN ago = 0 THEN voice_in_s END) AS voice_in_s_0,
    SUM(CASE WHEN ago = 1 THEN voice_in_s END) AS voice_in_s_1,
    SUM(CASE WHEN ago = 2 THEN voice_in_s END) AS voice_in_s_2,
    SUM(CASE WHEN ago = 0 THEN offnet_s END) AS offnet_s_0, SUM(CASE WHEN ago = 1 THEN offnet_s END) AS offnet_s_1,
    SUM(CASE WHEN ago = 2 THEN offnet_s END) AS offnet_s_2, SUM(CASE WHEN ago = 0 THEN roaming_s END) AS roaming_s_0,
    SUM(CASE WHEN ago = 1 THEN roaming_s END) AS roaming_s_1,
    SUM(CASE WHEN ago = 2 THEN roaming_s END) AS roaming_s_2, SUM(CASE WHEN ago = 0 THEN data_kb END) AS data_kb_0,
    SUM(CASE WHEN ago = 1 THEN data_kb END) AS data_kb_1, SUM(CASE WHEN ago = 2 THEN data_kb END) AS data_kb_2,
    SUM(CASE WHEN ago = 0 THEN sms END) AS sms_0, SUM(CASE WHEN ago = 1 THEN sms END) AS sms_1,
    SUM(CASE WHEN ago = 2 THEN sms END) AS sms_2, SUM(CASE WHEN ago = 0 THEN topups END) AS topups_0,
    SUM(CASE WHEN ago = 1 THEN topups END) AS topups_1, SUM(CASE WHEN ago = 2 THEN topups END) AS topups_2,
    SUM(CASE WHEN ago = 0 THEN dropped_calls END) AS dropped_calls_0,
    SUM(CASE WHEN ago = 1 THEN dropped_calls END) AS dropped_calls_1,
    SUM(CASE WHEN ago = 2 THEN dropped_calls END) AS dropped_calls_2
  FROM told
  GROUP BY customer_id
),
owes AS (
  SELECT
    customer_id,
    SUM(CASE WHEN months_ago = 0 THEN arrears_fen END) AS owed_fen,
    MAX(CASE WHEN months_ago = 0 THEN arrears_months END) AS owed_months,
    SUM(CASE WHEN months_ago = 0 THEN CASE WHEN arrears_fen > 0 THEN 1 WHEN arrears_fen <= 0 THEN 0 END END) AS late_0,
    SUM(CASE WHEN months_ago = 1 THEN CASE WHEN arrears_fen > 0 THEN 1 WHEN arrears_fen <= 0 THEN 0 END END) AS late_1,
    SUM(CASE WHEN months_ago = 2 THEN CASE WHEN arrears_fen > 0 THEN 1 WHEN arrears_fen <= 0 THEN 0 END END) AS late_2,
    SUM(CASE WHEN months_ago = 3 THEN CASE WHEN arrears_fen > 0 THEN 1 WHEN arrears_fen <= 0 THEN 0 END END) AS late_3,
    SUM(CASE WHEN months_ago = 4 THEN CASE WHEN arrears_fen > 0 THEN 1 WHEN arrears_fen <= 0 THEN 0 END END) AS late_4,
    SUM(CASE WHEN months_ago = 5 THEN CASE WHEN arrears_fen > 0 THEN 1 WHEN arrears_fen <= 0 THEN 0 END END) AS late_5
  FROM payments
  WHERE months_ago <= 5
  GROUP BY customer_id
)
SELECT
  COALESCE(spent.customer_id, uses.customer_id, owes.customer_id) AS customer_id, spent.billed_0, spent.billed_1,
  spent.billed_2, spent.billed_3, spent.billed_4, spent.billed_5, spent.billed_6, spent.billed_7, spent.billed_8,
  spent.billed_9, spent.billed_10, spent.billed_11, spent.margin_0_bp, spent.margin_1_bp, spent.margin_2_bp,
  spent.margin_3_bp, spent.margin_4_bp, spent.margin_5_bp, spent.margin_6_bp, spent.margin_7_bp, spent.margin_8_bp,
  spent.margin_9_bp, spent.margin_10_bp, spent.margin_11_bp, spent.recurring_0, spent.recurring_1,
  spent.recurring_2, spent.recurring_3, spent.overage_0, spent.overage_1, spent.overage_2, spent.discount_0,
  spent.discount_1, spent.discount_2, spent.topup_0, spent.topup_1, spent.topup_2, uses.voice_s_0, uses.voice_s_1,
  uses.voice_s_2, uses.voice_in_s_0, uses.voice_in_s_1, uses.voice_in_s_2, uses.offnet_s_0, uses.offnet_s_1,
  uses.offnet_s_2, uses.roaming_s_0, uses.roaming_s_1, uses.roaming_s_2, uses.data_kb_0, uses.data_kb_1,
  uses.data_kb_2, uses.sms_0, uses.sms_1, uses.sms_2, uses.topups_0, uses.topups_1, uses.topups_2,
  uses.dropped_calls_0, uses.dropped_calls_1, uses.dropped_calls_2, owes.late_0, owes.late_1, owes.late_2,
  owes.late_3, owes.late_4, owes.late_5, spent.recurring_months, uses.seen_months, uses.used_months, uses.active_days,
  owes.owed_fen, owes.owed_months
FROM spent
FULL JOIN uses ON uses.customer_id = spent.customer_id
FULL JOIN owes ON owes.customer_id = COALESCE(spent.customer_id, uses.customer_id)
WHERE COALESCE(
  spent.billed_0, spent.billed_1, spent.billed_2, spent.billed_3, spent.billed_4, spent.billed_5, spent.billed_6,
  spent.billed_7, spent.billed_8, spent.billed_9, spent.billed_10, spent.billed_11, uses.seen_months, owes.owed_fen,
  owes.owed_months, owes.late_0, owes.late_1, owes.late_2, owes.late_3, owes.late_4, owes.late_5
) IS NOT NULL
