-- question: how many did the rule choose each offer for, and how many of them does the lot leave alone?
-- reads: assignments
-- makes: figures
SELECT
  offer_id,
  arm,
  CAST(COUNT(*) AS BIGINT) AS customers,
  CAST(SUM(gain_fen) AS BIGINT) AS gain_fen,
  CAST(SUM(margin_before_fen) AS BIGINT) AS margin_before_fen
FROM assignments
GROUP BY offer_id, arm
