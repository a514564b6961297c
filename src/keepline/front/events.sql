-- question: which contacts and complaints of the managed customers does the operator know of?
-- reads: features, contacts, complaints
-- makes: account_events
SELECT
  c.customer_id,
  c.contact_id AS event_id,
  'contact' AS kind,
  c.contacted_on AS happened_on,
  c.channel,
  c.direction,
  c.purpose AS about,
  CAST(NULL AS DATE) AS closed_on
FROM contacts AS c
INNER JOIN features AS f ON f.customer_id = c.customer_id
WHERE f.manager_id IS NOT NULL AND NOT COALESCE(c.withdrawn, FALSE)
UNION ALL
SELECT
  p.customer_id,
  p.complaint_id AS event_id,
  'complaint' AS kind,
  p.opened_on AS happened_on,
  CAST(NULL AS VARCHAR) AS channel,
  'in' AS direction,
  p.category AS about,
  p.closed_on
FROM complaints AS p
INNER JOIN features AS f ON f.customer_id = p.customer_id
WHERE f.manager_id IS NOT NULL
ORDER BY 1, 4, 2
