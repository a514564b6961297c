-- question: how often did our marketing reach the customer, and when last?
-- reads: contacts, approvals
-- makes: features
-- an offer granted or taken up outside the plan counts as a contact of its day, where none was logged that day
WITH logged AS (
  SELECT customer_id, contacted_on AS on_day, months_ago
  FROM contacts
  WHERE months_ago <= 5
    AND direction = 'out'
    AND purpose = 'marketing'
    AND NOT COALESCE(withdrawn, FALSE)
    AND COALESCE(contacted_on, :month_end) <= :month_end
),
granted AS (
  SELECT customer_id, decided_on AS on_day
  FROM approvals
  WHERE decision = 'approved' AND NOT COALESCE(planned, FALSE) AND decided_on <= :month_end
  UNION
  SELECT customer_id, used_on AS on_day
  FROM approvals
  WHERE decision = 'approved' AND NOT COALESCE(planned, FALSE) AND used_on <= :month_end
),
alone AS (
  SELECT
    g.customer_id,
    g.on_day,
    12 * (YEAR(:month_end) - YEAR(g.on_day)) + MONTH(:month_end) - MONTH(g.on_day) AS months_ago
  FROM granted AS g
  LEFT JOIN logged AS l ON l.customer_id = g.customer_id AND l.on_day = g.on_day
  WHERE l.customer_id IS NULL
),
turned AS (
  SELECT customer_id, on_day, months_ago FROM logged
  UNION ALL
  SELECT customer_id, on_day, months_ago FROM alone WHERE months_ago <= 5
)
SELECT
  customer_id,
  SUM(CASE WHEN months_ago = 0 THEN 1 END) AS contacts_out_1m,
  SUM(CASE WHEN months_ago <= 2 THEN 1 END) AS contacts_out_3m,
  MIN(DATEDIFF('day', on_day, :month_end)) AS days_since_contact
FROM turned
GROUP BY customer_id
