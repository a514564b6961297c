-- question: what does a manager need to know of each customer the plan treats?
-- reads: decisions, features, classes, scores, schedule
-- makes: plan_rows
-- Whom nobody manages comes last; within a manager the most gain comes first.
SELECT
  COALESCE(d.manager_id, '~') AS place,
  -COALESCE(d.gain_fen, 0) AS rank_fen,
  d.customer_id,
  d.manager_id,
  f.district,
  c.class,
  d.offer_id,
  d.channel,
  d.gain_fen,
  d.cost_fen,
  s.reason_1,
  s.reason_2,
  s.reason_3,
  f.contract_months_left,
  f.tenure_months,
  f.months_to_birthday,
  f.complaints_3m,
  f.data_change,
  f.voice_change,
  f.revenue_change,
  f.products,
  w.week
FROM decisions AS d
LEFT JOIN features AS f ON f.customer_id = d.customer_id
LEFT JOIN classes AS c ON c.customer_id = d.customer_id
LEFT JOIN scores AS s ON s.customer_id = d.customer_id
LEFT JOIN schedule AS w ON w.customer_id = d.customer_id
WHERE d.state = 'treated' AND d.arm = 'treated'
