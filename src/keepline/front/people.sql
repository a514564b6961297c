-- question: who is each managed customer, and since when?
-- reads: features, customers, contact_details
-- makes: account_people
WITH latest AS (
  SELECT
    customer_id,
    MIN(months_ago) AS months_ago
  FROM customers
  GROUP BY customer_id
)
SELECT
  c.customer_id,
  c.joined_on,
  c.birthday,
  d.customer_no,
  d.name,
  d.phone
FROM customers AS c
INNER JOIN latest AS t ON t.customer_id = c.customer_id AND t.months_ago = c.months_ago
INNER JOIN features AS f ON f.customer_id = c.customer_id
LEFT JOIN contact_details AS d ON d.customer_id = c.customer_id
WHERE f.manager_id IS NOT NULL
ORDER BY c.customer_id
