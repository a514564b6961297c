-- question: whom does the customer call, and how many of them have just left?
-- reads: call_edges, departures as departures_anywhere
-- makes: features
WITH called AS (
  SELECT
    customer_id,
    peer_id,
    MIN(months_ago) AS called_ago
  FROM call_edges
  WHERE months_ago <= 2
  GROUP BY customer_id, peer_id
),
gone AS (
  SELECT DISTINCT customer_id
  FROM departures_anywhere
  WHERE months_ago <= 2
)
SELECT
  c.customer_id,
  SUM(CASE WHEN c.called_ago = 0 THEN 1 END) AS peers,
  COUNT(g.customer_id) AS peers_left_3m
FROM called AS c
LEFT JOIN gone AS g ON g.customer_id = c.peer_id
GROUP BY c.customer_id
