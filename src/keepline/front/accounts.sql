-- question: what may people who sell know of each customer an account manager looks after?
-- reads: features, classes, drivers, scores, price_sensitivity, circles, decisions
-- makes: accounts
-- Who is held out or in a pilot reads as one below the cut, or as they would without the pilot where no offer could
-- gain with them; gains and offers are told of the treated alone.
SELECT
  f.customer_id,
  f.month,
  f.manager_id,
  f.kind,
  f.industry,
  f.region,
  f.district,
  f.star_rating,
  f.consent,
  f.blacklisted,
  f.preferred_channel,
  f.contact_gap_days,
  f.tenure_months,
  f.revenue_fen,
  f.revenue_3m_fen,
  f.revenue_12m_fen,
  f.revenue_change,
  f.margin_3m_fen,
  f.margin_12m_fen,
  f.discount_3m_fen,
  f.voice_change,
  f.data_change,
  f.months_silent,
  f.complaints_3m,
  f.complaints_open,
  f.days_since_contact,
  f.district_faults_3m,
  f.arrears_fen,
  f.arrears_months,
  f.lines,
  f.products,
  f.contract_months_left,
  f.months_to_birthday,
  f.satisfaction,
  f.recommend,
  c.class,
  c.previous_class,
  c.move,
  c.reason_zh,
  c.reason_en,
  s.value_fen,
  s.value_low_fen,
  s.value_high_fen,
  s.persistence_fen,
  s.growth_fen,
  s.word_of_mouth_fen,
  s.loyalty,
  s.loyalty_kind,
  s.risk_band,
  s.stay_1m,
  s.stay_3m,
  s.stay_6m,
  s.stay_12m,
  s.stay_24m,
  s.reason_1,
  s.reason_2,
  s.reason_3,
  v.quality,
  v.perceived_value,
  v.dependence,
  v.belonging,
  v.recognition,
  v.honour,
  p.basis AS price_basis,
  p.elasticity AS price_elasticity,
  p.low AS price_low,
  p.high AS price_high,
  p.quotes AS price_quotes,
  k.circle_size,
  k.leader,
  k.gatekeeper,
  CASE
    WHEN d.state = 'in_pilot'
      AND d.reason IN ('pilot_no_offers', 'pilot_conditions_not_met', 'pilot_offer_needs_manager') THEN 'no_offer_fits'
    WHEN d.state = 'in_pilot' AND d.reason = 'pilot_cost_beyond_authority' THEN 'beyond_authority'
    WHEN d.state = 'in_pilot' AND d.reason IN ('pilot_scores_unknown', 'pilot_gain_not_positive') THEN 'no_gain'
    WHEN d.state IN ('held_out', 'in_pilot') THEN 'below_cut'
    ELSE d.state END AS state,
  CASE WHEN d.state = 'treated' THEN d.offer_id END AS offer_id,
  CASE WHEN d.state = 'treated' THEN d.channel END AS channel,
  CASE WHEN d.state = 'treated' THEN d.gain_fen END AS gain_fen,
  CASE WHEN d.state = 'treated' THEN d.cost_fen END AS cost_fen
FROM features AS f
LEFT JOIN classes AS c ON c.customer_id = f.customer_id
LEFT JOIN drivers AS v ON v.customer_id = f.customer_id
LEFT JOIN price_sensitivity AS p ON p.customer_id = f.customer_id
LEFT JOIN circles AS k ON k.customer_id = f.customer_id
LEFT JOIN scores AS s ON s.customer_id = f.customer_id
LEFT JOIN decisions AS d ON d.customer_id = f.customer_id
WHERE f.manager_id IS NOT NULL
ORDER BY f.customer_id
