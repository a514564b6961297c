-- question: who is likely to leave, move their number or downgrade, and why?
-- reads: scores
-- makes: figures
-- Probabilities are summed as whole billionths, so that the order of adding changes nothing.
SELECT
  risk_band,
  reason_1,
  CAST(COUNT(*) AS BIGINT) AS customers,
  CAST(COUNT(value_fen) AS BIGINT) AS value_known,
  CAST(SUM(value_fen) AS BIGINT) AS value_fen,
  CAST(COUNT(leave_probability) AS BIGINT) AS leave_known,
  CAST(SUM(CAST(ROUND(leave_probability * 1000000000) AS BIGINT)) AS BIGINT) AS leave_e9,
  CAST(COUNT(port_out_probability) AS BIGINT) AS port_out_known,
  CAST(SUM(CAST(ROUND(port_out_probability * 1000000000) AS BIGINT)) AS BIGINT) AS port_out_e9,
  CAST(COUNT(downgrade_probability) AS BIGINT) AS downgrade_known,
  CAST(SUM(CAST(ROUND(downgrade_probability * 1000000000) AS BIGINT)) AS BIGINT) AS downgrade_e9
FROM scores
GROUP BY risk_band, reason_1
