-- question: what does the plan give each district, manager and offer?
-- reads: decisions, features
-- makes: figures
SELECT
  f.district,
  d.manager_id,
  d.offer_id,
  d.channel,
  CAST(COUNT(*) AS BIGINT) AS customers,
  CAST(SUM(d.gain_fen) AS BIGINT) AS gain_fen,
  CAST(SUM(d.cost_fen) AS BIGINT) AS cost_fen
FROM decisions AS d
LEFT JOIN features AS f ON f.customer_id = d.customer_id
WHERE d.state = 'treated'
GROUP BY f.district, d.manager_id, d.offer_id, d.channel
