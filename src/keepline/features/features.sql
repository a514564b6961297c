-- question: what is known of each customer at the end of the snapshot month?
-- reads: people, ledger, complained, contacted, faulty, held, answered, brought, circle, granted, promised, drawn, gone
-- makes: features
WITH known AS (
  SELECT
    COALESCE(people.customer_id, ledger.customer_id) AS customer_id,
    people.kind, people.industry, people.region, people.district, people.manager_id, people.star_rating,
    people.listed_class, people.consent, people.blacklisted, people.preferred_channel, people.contact_gap_days,
    people.tenure_months, people.age_years, people.months_to_birthday,
    ledger.revenue_fen, ledger.revenue_3m_fen, ledger.revenue_12m_fen, ledger.revenue_change,
    ledger.revenue_slope_fen, ledger.months_billed, ledger.margin_fen, ledger.margin_3m_fen, ledger.margin_12m_fen,
    ledger.recurring_fen, ledger.overage_3m_fen, ledger.discount_3m_fen, ledger.topup_3m_fen,
    ledger.recurring_drop_fen, ledger.voice_s, ledger.voice_3m_s, ledger.voice_change, ledger.voice_in_3m_s,
    ledger.offnet_share, ledger.roaming_3m_s, ledger.data_kb, ledger.data_3m_kb, ledger.data_change, ledger.sms_3m,
    ledger.topups_3m, ledger.active_days, ledger.months_silent, ledger.dropped_calls_3m, ledger.arrears_fen,
    ledger.arrears_months, ledger.late_6m
  FROM people
  FULL JOIN ledger ON people.customer_id = ledger.customer_id
  WHERE people.customer_id IS NOT NULL OR ledger.revenue_fen IS NOT NULL
)
-- a placeholder named like a feature is its value where there is no row: 0 if the table is known, null if not
SELECT
  k.customer_id,
  :month AS month,
  k.kind,
  k.industry,
  k.region,
  k.district,
  k.manager_id,
  k.star_rating,
  k.listed_class,
  k.consent,
  k.blacklisted,
  k.preferred_channel,
  k.contact_gap_days,
  COALESCE(k.tenure_months, held.tenure_months) AS tenure_months,
  k.age_years,
  k.months_to_birthday,
  COALESCE(k.revenue_fen, 0) AS revenue_fen,
  COALESCE(k.revenue_3m_fen, 0) AS revenue_3m_fen,
  COALESCE(k.revenue_12m_fen, 0) AS revenue_12m_fen,
  k.revenue_change,
  k.revenue_slope_fen,
  COALESCE(k.months_billed, 0) AS months_billed,
  COALESCE(k.margin_fen, 0) AS margin_fen,
  COALESCE(k.margin_3m_fen, 0) AS margin_3m_fen,
  COALESCE(k.margin_12m_fen, 0) AS margin_12m_fen,
  k.recurring_fen,
  COALESCE(k.overage_3m_fen, 0) AS overage_3m_fen,
  COALESCE(k.discount_3m_fen, 0) AS discount_3m_fen,
  COALESCE(k.topup_3m_fen, 0) AS topup_3m_fen,
  k.recurring_drop_fen,
  COALESCE(k.voice_s, :voice_s) AS voice_s,
  COALESCE(k.voice_3m_s, :voice_3m_s) AS voice_3m_s,
  k.voice_change,
  COALESCE(k.voice_in_3m_s, :voice_in_3m_s) AS voice_in_3m_s,
  k.offnet_share,
  COALESCE(k.roaming_3m_s, :roaming_3m_s) AS roaming_3m_s,
  COALESCE(k.data_kb, :data_kb) AS data_kb,
  COALESCE(k.data_3m_kb, :data_3m_kb) AS data_3m_kb,
  k.data_change,
  COALESCE(k.sms_3m, :sms_3m) AS sms_3m,
  COALESCE(k.topups_3m, :topups_3m) AS topups_3m,
  COALESCE(k.active_days, :active_days) AS active_days,
  COALESCE(k.months_silent, :months_silent) AS months_silent,
  COALESCE(k.dropped_calls_3m, :dropped_calls_3m) AS dropped_calls_3m,
  COALESCE(complained.complaints_3m, :complaints_3m) AS complaints_3m,
  COALESCE(complained.complaints_12m, :complaints_12m) AS complaints_12m,
  COALESCE(complained.complaints_open, :complaints_open) AS complaints_open,
  complained.months_since_complaint,
  COALESCE(contacted.contacts_out_1m, :contacts_out_1m) AS contacts_out_1m,
  COALESCE(contacted.contacts_out_3m, :contacts_out_3m) AS contacts_out_3m,
  contacted.days_since_contact,
  CASE WHEN k.district IS NOT NULL
    THEN COALESCE(faulty.district_faults_3m, :district_faults_3m)
  END AS district_faults_3m,
  COALESCE(k.arrears_fen, :arrears_fen) AS arrears_fen,
  COALESCE(k.arrears_months, :arrears_months) AS arrears_months,
  COALESCE(k.late_6m, :late_6m) AS late_6m,
  COALESCE(held.lines, :lines) AS lines,
  COALESCE(held.products, :products) AS products,
  held.contract_months_left,
  held.plan_price_fen,
  held.ported_in,
  answered.satisfaction,
  answered.stay_intention,
  answered.recommend,
  COALESCE(brought.referrals_12m, :referrals_12m) AS referrals_12m,
  COALESCE(circle.peers, :peers) AS peers,
  CASE WHEN :departures_3m THEN COALESCE(circle.peers_left_3m, :peers_left_3m) END AS peers_left_3m,
  COALESCE(granted.granted_3m_fen, :granted_3m_fen) AS granted_3m_fen,
  COALESCE(promised.promises_kept_3m, :promises_kept_3m) AS promises_kept_3m,
  COALESCE(promised.promises_broken_3m, :promises_broken_3m) AS promises_broken_3m,
  drawn.months_since_lots
FROM known AS k
LEFT JOIN complained ON complained.customer_id = k.customer_id
LEFT JOIN contacted ON contacted.customer_id = k.customer_id
LEFT JOIN faulty ON faulty.district = k.district
LEFT JOIN held ON held.customer_id = k.customer_id
LEFT JOIN answered ON answered.customer_id = k.customer_id
LEFT JOIN brought ON brought.customer_id = k.customer_id
LEFT JOIN circle ON circle.customer_id = k.customer_id
LEFT JOIN granted ON granted.customer_id = k.customer_id
LEFT JOIN promised ON promised.customer_id = k.customer_id
LEFT JOIN drawn ON drawn.customer_id = k.customer_id
LEFT JOIN gone ON gone.customer_id = k.customer_id
WHERE gone.customer_id IS NULL
