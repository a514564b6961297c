-- question: what was last told of each customer, at or before the snapshot?
-- reads: customers
-- makes: latest_customers
WITH told AS (
  SELECT
    customers.*,
    ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY months_ago) AS place
  FROM customers
)
SELECT
  customer_id, month, kind, industry, region, district, manager_id, joined_on, birthday, star_rating, listed_class,
  consent, blacklisted, preferred_channel, contact_gap_days
FROM told
WHERE place = 1
