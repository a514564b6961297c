-- question: what was last told of each of a customer's further facts, at or before the snapshot?
-- reads: attributes
-- makes: latest_attributes
WITH told AS (
  SELECT
    attributes.*,
    ROW_NUMBER() OVER (PARTITION BY customer_id, name ORDER BY months_ago) AS place
  FROM attributes
)
SELECT
  customer_id, month, name, number, code
FROM told
WHERE place = 1
