-- question: of those with the same published probability, how many were there and how many left?
-- reads: scores, people, gone, reached
-- makes: score_cells
WITH known AS (
  SELECT
    ROUND(s.leave_probability * 100000) / 100000 AS score,
    s.leave_probability AS p,
    CASE WHEN g.left_after IS NULL OR r.customer_id IS NOT NULL THEN 0 ELSE 1 END AS has_left
  FROM people AS u
  JOIN scores AS s ON s.customer_id = u.customer_id
  LEFT JOIN gone AS g ON g.customer_id = u.customer_id
  LEFT JOIN reached AS r ON r.customer_id = u.customer_id
  WHERE s.leave_probability IS NOT NULL
)
SELECT
  score,
  COUNT(*) AS customers,
  CAST(SUM(has_left) AS BIGINT) AS gone,
  SUM(p) AS probability,
  SUM(p * p) AS squares,
  SUM(p * has_left) AS gone_probability
FROM known
GROUP BY score
