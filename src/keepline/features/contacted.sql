-- question: how often did our marketing reach the customer, and when last?
-- reads: contacts
-- makes: features
SELECT
  customer_id,
  SUM(CASE WHEN months_ago = 0 THEN 1 END) AS contacts_out_1m,
  SUM(CASE WHEN months_ago <= 2 THEN 1 END) AS contacts_out_3m,
  MIN(DATEDIFF('day', contacted_on, :month_end)) AS days_since_contact
FROM contacts
WHERE months_ago <= 5
  AND direction = 'out'
  AND purpose = 'marketing'
  AND COALESCE(contacted_on, :month_end) <= :month_end
GROUP BY customer_id
