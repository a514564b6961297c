-- question: who talks with whom, and which way do the calls go?
-- reads: call_edges, call_edges as call_edges_anywhere
-- makes: ties
WITH told AS (
  SELECT
    customer_id,
    peer_id,
    COALESCE(calls, 1) AS calls,
    0 AS called
  FROM call_edges
  UNION ALL
  SELECT
    peer_id AS customer_id,
    customer_id AS peer_id,
    0 AS calls,
    COALESCE(calls, 1) AS called
  FROM call_edges_anywhere
  WHERE peer_id >= :low AND peer_id < :high
)
SELECT
  customer_id,
  peer_id,
  SUM(calls) AS calls,
  SUM(called) AS called
FROM told
WHERE customer_id <> peer_id
GROUP BY customer_id, peer_id
