-- question: whom did no plan of the window treat, so that their leaving is what was predicted?
-- reads: scores, decisions
-- makes: outcomes
WITH treated AS (
  SELECT customer_id
  FROM decisions
  WHERE arm = 'treated'
  GROUP BY customer_id
)
SELECT s.customer_id, s.month
FROM scores AS s
LEFT JOIN treated AS t ON t.customer_id = s.customer_id
WHERE t.customer_id IS NULL
