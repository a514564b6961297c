-- question: in which state does each customer of the base end, by class?
-- reads: decisions, classes
-- makes: figures
SELECT
  d.state,
  c.class,
  CAST(COUNT(*) AS BIGINT) AS customers
FROM decisions AS d
LEFT JOIN classes AS c ON c.customer_id = d.customer_id
GROUP BY d.state, c.class
