-- question: which organisation does each managed customer belong to, by the operator's last word?
-- reads: features, affiliations
-- makes: account_heads
WITH latest AS (
  SELECT
    customer_id,
    MIN(months_ago) AS months_ago
  FROM affiliations
  GROUP BY customer_id
)
SELECT
  a.customer_id,
  a.head_id
FROM affiliations AS a
INNER JOIN latest AS t ON t.customer_id = a.customer_id AND t.months_ago = a.months_ago
INNER JOIN features AS f ON f.customer_id = a.customer_id
WHERE f.manager_id IS NOT NULL
ORDER BY a.customer_id
