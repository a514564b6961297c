-- question: what did the customer complain of, and is anything unanswered?
-- reads: complaints
-- makes: features
SELECT
  customer_id,
  SUM(CASE WHEN months_ago <= 2 THEN 1 END) AS complaints_3m,
  COUNT(*) AS complaints_12m,
  -- where an operator never records the answer, a complaint counts as open in its own month
  SUM(CASE
    WHEN :closed_on_12m AND closed_on <= :month_end THEN 0
    WHEN :closed_on_12m OR months_ago = 0 THEN 1
    ELSE 0 END) AS complaints_open,
  MIN(months_ago) AS months_since_complaint
FROM complaints
WHERE months_ago <= 11 AND COALESCE(opened_on, :month_end) <= :month_end
GROUP BY customer_id
