-- question: what part do customers have in the circles of the calling graph, and which of them may leave?
-- reads: circles, scores
-- makes: figures
WITH placed AS (
  SELECT
    CASE
      WHEN c.leader THEN 'leader'
      WHEN c.gatekeeper THEN 'gatekeeper'
      WHEN c.circle IS NULL THEN 'outside'
      ELSE 'member'
    END AS part,
    s.risk_band,
    s.value_fen,
    c.circle_size,
    c.brought_12m
  FROM circles AS c
  LEFT JOIN scores AS s ON s.customer_id = c.customer_id
)
SELECT
  part,
  risk_band,
  CAST(COUNT(*) AS BIGINT) AS customers,
  CAST(SUM(value_fen) AS BIGINT) AS value_fen,
  CAST(SUM(circle_size - 1) AS BIGINT) AS around,
  CAST(SUM(brought_12m) AS BIGINT) AS brought
FROM placed
GROUP BY part, risk_band
