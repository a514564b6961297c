-- question: what became of the base of a past snapshot within the horizon?
-- reads: features, bills, departures, deliveries, approvals, gone_within
-- makes: labels
WITH billed AS (
  SELECT
    customer_id,
    SUM(amount_fen * :margin_points) AS margin_bp,
    SUM(CASE WHEN months_ago = 0 AND component = 'recurring' THEN amount_fen ELSE 0 END) AS recurring_at_end
  FROM bills
  GROUP BY customer_id
),
ported AS (
  SELECT DISTINCT customer_id
  FROM departures
  WHERE kind = 'port_out'
),
offered AS (
  SELECT customer_id, months_ago FROM deliveries WHERE NOT COALESCE(withdrawn, FALSE)
  UNION ALL
  SELECT customer_id, months_ago FROM approvals WHERE used_on IS NOT NULL
),
reached AS (
  SELECT customer_id, MAX(months_ago) AS months_ago
  FROM offered
  GROUP BY customer_id
)
SELECT
  f.customer_id,
  f.month,
  CASE WHEN :leaving_known THEN COALESCE(g.left_within, FALSE) END AS left_within,
  CASE WHEN :leaving_known THEN g.left_after END AS left_after,
  CASE WHEN :port_out_known THEN p.customer_id IS NOT NULL END AS ported_within,
  CASE WHEN :bills_at_end AND f.recurring_fen > 0 AND NOT COALESCE(g.left_within, FALSE)
    THEN COALESCE(b.recurring_at_end, 0) * 10000 <= f.recurring_fen * :downgrade_keeps_bp
  END AS downgraded_within,
  CASE WHEN :bills_within THEN COALESCE(CAST(ROUND(CAST(b.margin_bp AS DOUBLE) / 10000) AS BIGINT), 0) END AS margin_after_fen,
  COALESCE(CAST(2 * :horizon - 1 - 2 * r.months_ago AS DOUBLE) / NULLIF(2 * :horizon, 0), 1) AS alone_share
FROM features AS f
LEFT JOIN billed AS b ON b.customer_id = f.customer_id
LEFT JOIN gone_within AS g ON g.customer_id = f.customer_id
LEFT JOIN ported AS p ON p.customer_id = f.customer_id
LEFT JOIN reached AS r ON r.customer_id = f.customer_id
