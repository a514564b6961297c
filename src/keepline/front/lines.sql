-- question: which numbers and circuits does each managed customer hold, on which plan, until when?
-- reads: features, lines, plans
-- makes: account_lines
WITH latest AS (
  SELECT
    line_id,
    MIN(months_ago) AS months_ago
  FROM lines
  GROUP BY line_id
),
named AS (
  SELECT
    plan_id,
    MAX(name) AS name,
    MAX(price_fen) AS price_fen
  FROM plans
  GROUP BY plan_id
)
SELECT
  l.customer_id,
  l.line_id,
  l.product,
  l.status,
  l.plan_id,
  n.name AS plan_name,
  n.price_fen,
  l.started_on,
  l.contract_end_on,
  l.ended_on
FROM lines AS l
INNER JOIN latest AS t ON t.line_id = l.line_id AND t.months_ago = l.months_ago
INNER JOIN features AS f ON f.customer_id = l.customer_id
LEFT JOIN named AS n ON n.plan_id = l.plan_id
WHERE f.manager_id IS NOT NULL
ORDER BY l.customer_id, l.line_id
