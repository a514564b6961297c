-- question: who speaks for each managed customer, and what part do they have in decisions?
-- reads: features, contact_persons
-- makes: account_contact_persons
SELECT
  p.customer_id,
  p.person_no,
  p.role,
  p.name,
  p.phone,
  p.birthday,
  p.preferred_channel
FROM contact_persons AS p
INNER JOIN features AS f ON f.customer_id = p.customer_id
WHERE f.manager_id IS NOT NULL
ORDER BY p.customer_id, p.person_no
