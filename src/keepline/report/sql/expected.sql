-- question: what does the plan earn with each offer at either end of its effect's interval?
-- reads: decisions, candidates
-- makes: figures
SELECT
  d.offer_id,
  CAST(COUNT(*) AS BIGINT) AS customers,
  CAST(SUM(CASE WHEN c.gain_low_fen IS NULL OR c.gain_high_fen IS NULL THEN 1 ELSE 0 END) AS BIGINT) AS unsure,
  CAST(SUM(c.gain_low_fen) AS BIGINT) AS gain_low_fen,
  CAST(SUM(c.gain_high_fen) AS BIGINT) AS gain_high_fen
FROM decisions AS d
LEFT JOIN candidates AS c ON c.customer_id = d.customer_id AND c.offer_id = d.offer_id
WHERE d.state = 'treated'
GROUP BY d.offer_id
