-- question: who left in the last three months and is not back, why, and what margin did they bring before?
-- reads: departures, customers, features, gone
-- makes: win_back
WITH told AS (
  SELECT
    customer_id,
    month,
    kind,
    reason,
    months_ago,
    ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY months_ago) AS place
  FROM departures
), known AS (
  SELECT
    customer_id,
    district,
    manager_id,
    consent,
    blacklisted,
    ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY months_ago) AS place
  FROM customers
)
SELECT
  t.customer_id,
  :month AS month,
  t.month AS left_month,
  t.kind,
  COALESCE(t.reason, 'unrecorded') AS reason,
  g.margin_3m_fen,
  k.district,
  k.manager_id,
  COALESCE(k.consent, FALSE) AND NOT COALESCE(k.blacklisted, FALSE) AS may_contact
FROM told AS t
LEFT JOIN gone AS g ON g.customer_id = t.customer_id
LEFT JOIN known AS k ON k.customer_id = t.customer_id AND k.place = 1
LEFT JOIN features AS f ON f.customer_id = t.customer_id
WHERE t.place = 1 AND t.months_ago <= 2 AND f.customer_id IS NULL
