-- question: what did offers cost that the customer took up outside the plan?
-- reads: approvals
-- makes: features
SELECT
  customer_id,
  SUM(cost_fen) AS granted_3m_fen
FROM approvals
WHERE decision = 'approved'
  AND NOT COALESCE(planned, FALSE)
  AND used_on <= :month_end
  AND 12 * (YEAR(:month_end) - YEAR(used_on)) + MONTH(:month_end) - MONTH(used_on) <= 2
GROUP BY customer_id
