-- question: which lines and plans does the customer hold, since when and until when?
-- reads: lines, plans
-- makes: features
WITH told AS (
  SELECT
    lines.*,
    ROW_NUMBER() OVER (PARTITION BY customer_id, line_id ORDER BY months_ago) AS place
  FROM lines
),
started AS (
  SELECT
    told.*,
    COALESCE(status, 'active') <> 'disconnected' AND COALESCE(ended_on > :month_end, TRUE) AS is_open
  FROM told
  WHERE place = 1 AND COALESCE(started_on, :month_end) <= :month_end
),
priced AS (
  SELECT
    plan_id,
    price_fen,
    ROW_NUMBER() OVER (PARTITION BY plan_id ORDER BY months_ago) AS place
  FROM plans
)
SELECT
  s.customer_id,
  12 * (YEAR(:month_end) - YEAR(MIN(s.started_on))) + MONTH(:month_end) - MONTH(MIN(s.started_on)) AS tenure_months,
  SUM(CASE WHEN s.is_open THEN 1 ELSE 0 END) AS lines,
  COUNT(DISTINCT CASE WHEN s.is_open THEN s.product END) AS products,
  MAX(CASE WHEN s.is_open
    THEN 12 * (YEAR(s.contract_end_on) - YEAR(:month_end)) + MONTH(s.contract_end_on) - MONTH(:month_end)
  END) AS contract_months_left,
  MAX(CASE WHEN s.is_open THEN p.price_fen END) AS plan_price_fen,
  MAX(CASE WHEN s.is_open AND s.ported_in THEN 1 WHEN s.is_open AND NOT s.ported_in THEN 0 END) = 1 AS ported_in
FROM started AS s
LEFT JOIN priced AS p ON p.plan_id = s.plan_id AND p.place = 1
GROUP BY s.customer_id
