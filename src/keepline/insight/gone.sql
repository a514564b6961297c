-- question: what margin did those who left in the last three months bring before?
-- reads: bills, departures
-- makes: features
WITH gone AS (
  SELECT customer_id, MIN(months_ago) AS left_ago
  FROM departures
  WHERE months_ago <= 2
  GROUP BY customer_id
)
SELECT
  g.customer_id,
  CAST(ROUND(CAST(SUM(b.amount_fen * :margin_points) AS DOUBLE) / 10000) AS BIGINT) AS margin_3m_fen
FROM gone AS g
INNER JOIN bills AS b ON b.customer_id = g.customer_id
WHERE b.months_ago BETWEEN g.left_ago + 1 AND g.left_ago + 3
GROUP BY g.customer_id
