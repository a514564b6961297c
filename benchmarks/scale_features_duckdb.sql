-- What a user of DuckDB would write: every customer's features from bills, usage and payments, in one query.
WITH month AS (
  SELECT
    customer_id, ago, SUM(amount_fen) AS billed, SUM(amount_fen * $share) AS margin,
    SUM(amount_fen) FILTER (component = 'recurring') AS recurring,
    SUM(amount_fen) FILTER (component = 'overage') AS overage,
    SUM(amount_fen) FILTER (component = 'discount') AS discount,
    SUM(amount_fen) FILTER (component = 'topup') AS topup
  FROM {bills}
  GROUP BY customer_id, ago
),
spent AS (
  SELECT
    customer_id, MAX(ago) AS first_ago, COUNT(*) FILTER (billed > 0) AS months_billed,
    COALESCE(SUM(billed) FILTER (ago = 0), 0) AS revenue_fen,
    COALESCE(SUM(billed) FILTER (ago <= 2), 0) AS revenue_3m_fen,
    SUM(billed) AS revenue_12m_fen, COALESCE(SUM(billed) FILTER (ago BETWEEN 3 AND 5), 0) AS before,
    COALESCE(SUM(billed * (5 - 2 * ago)) FILTER (ago <= 5), 0) AS tilt,
    COALESCE(SUM(margin) FILTER (ago = 0), 0) AS margin_1m, COALESCE(SUM(margin) FILTER (ago <= 2), 0) AS margin_3m,
    SUM(margin) AS margin_12m, COUNT(recurring) > 0 AS has_recurring,
    COALESCE(SUM(recurring) FILTER (ago = 0), 0) AS now, SUM(recurring) FILTER (ago = 3) AS before_drop,
    COALESCE(SUM(overage) FILTER (ago <= 2), 0) AS overage_3m_fen,
    -COALESCE(SUM(discount) FILTER (ago <= 2), 0) AS discount_3m_fen,
    COALESCE(SUM(topup) FILTER (ago <= 2), 0) AS topup_3m_fen
  FROM month
  GROUP BY customer_id
),
used AS (
  SELECT
    customer_id, BOOL_OR(ago >= 2) AS early,
    SUM(voice_s) FILTER (ago = 0) AS voice_s, SUM(voice_s) FILTER (ago <= 2) AS voice_3m_s,
    SUM(voice_s) FILTER (ago BETWEEN 1 AND 2) AS voice_before,
    SUM(voice_in_s) FILTER (ago <= 2) AS voice_in_3m_s, SUM(offnet_s) FILTER (ago <= 2) AS offnet_3m_s,
    SUM(roaming_s) FILTER (ago <= 2) AS roaming_3m_s, SUM(data_kb) FILTER (ago = 0) AS data_kb,
    SUM(data_kb) FILTER (ago <= 2) AS data_3m_kb, SUM(data_kb) FILTER (ago BETWEEN 1 AND 2) AS data_before,
    SUM(sms) FILTER (ago <= 2) AS sms_3m, SUM(topups) FILTER (ago <= 2) AS topups_3m,
    SUM(active_days) FILTER (ago = 0) AS active_days, SUM(dropped_calls) FILTER (ago <= 2) AS dropped_calls_3m,
    MIN(ago) FILTER (voice_s > 0 OR voice_in_s > 0 OR roaming_s > 0 OR data_kb > 0 OR sms > 0 OR active_days > 0)
      AS months_silent
  FROM {usage}
  GROUP BY customer_id
),
owed AS (
  SELECT
    customer_id, SUM(arrears_fen) FILTER (ago = 0) AS arrears_fen,
    MAX(arrears_months) FILTER (ago = 0) AS arrears_months, COUNT(*) FILTER (arrears_fen > 0) AS late_6m
  FROM {payments}
  GROUP BY customer_id
)
SELECT
  customer_id, revenue_fen, revenue_3m_fen, revenue_12m_fen, months_billed, overage_3m_fen, discount_3m_fen,
  topup_3m_fen,
  CASE WHEN first_ago >= 5 AND before > 0 THEN (revenue_3m_fen - before) / before END AS revenue_change,
  CASE WHEN first_ago >= 5 THEN 2 * tilt / 70 END AS revenue_slope_fen,
  ROUND(margin_1m / 10000) AS margin_fen, ROUND(margin_3m / 10000) AS margin_3m_fen,
  ROUND(margin_12m / 10000) AS margin_12m_fen,
  CASE WHEN has_recurring THEN now END AS recurring_fen, GREATEST(before_drop - now, 0) AS recurring_drop_fen,
  voice_s, voice_3m_s, voice_in_3m_s, roaming_3m_s, data_kb, data_3m_kb, sms_3m, topups_3m, active_days, months_silent,
  dropped_calls_3m, offnet_3m_s / NULLIF(voice_3m_s, 0) AS offnet_share,
  CASE WHEN early THEN (2 * COALESCE(voice_s, 0) - voice_before) / NULLIF(voice_before, 0) END AS voice_change,
  CASE WHEN early THEN (2 * COALESCE(data_kb, 0) - data_before) / NULLIF(data_before, 0) END AS data_change,
  arrears_fen, arrears_months, late_6m
FROM spent
FULL JOIN used USING (customer_id)
FULL JOIN owed USING (customer_id)
