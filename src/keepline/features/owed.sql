-- question: what does the customer owe, how old is it, and how often was it late?
-- reads: payments
-- makes: features
SELECT
  customer_id,
  SUM(CASE WHEN months_ago = 0 THEN arrears_fen END) AS arrears_fen,
  MAX(CASE WHEN months_ago = 0 THEN arrears_months END) AS arrears_months,
  SUM(CASE WHEN arrears_fen > 0 THEN 1 WHEN arrears_fen <= 0 THEN 0 END) AS late_6m
FROM payments
WHERE months_ago <= 5
GROUP BY customer_id
