-- question: whom did an offer reach within the window, and in which month first?
-- reads: deliveries, approvals
-- makes: deliveries
WITH offered AS (
  SELECT customer_id, month FROM deliveries WHERE NOT COALESCE(withdrawn, FALSE)
  UNION ALL
  SELECT customer_id, month FROM approvals WHERE used_on IS NOT NULL
)
SELECT customer_id, MIN(month) AS month
FROM offered
GROUP BY customer_id
