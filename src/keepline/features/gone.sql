-- question: who has left, and not come back?
-- reads: departures, carried
-- makes: departures
WITH gone AS (
  SELECT customer_id, MIN(months_ago) AS left_ago
  FROM departures
  GROUP BY customer_id
),
seen AS (
  SELECT
    customer_id,
    COALESCE(
      CASE WHEN billed_0 > 0 THEN 0 END, CASE WHEN billed_1 > 0 THEN 1 END, CASE WHEN billed_2 > 0 THEN 2 END,
      CASE WHEN billed_3 > 0 THEN 3 END, CASE WHEN billed_4 > 0 THEN 4 END, CASE WHEN billed_5 > 0 THEN 5 END,
      CASE WHEN billed_6 > 0 THEN 6 END, CASE WHEN billed_7 > 0 THEN 7 END, CASE WHEN billed_8 > 0 THEN 8 END,
      CASE WHEN billed_9 > 0 THEN 9 END, CASE WHEN billed_10 > 0 THEN 10 END, CASE WHEN billed_11 > 0 THEN 11 END
    ) AS billed_ago,
    CASE WHEN (used_months & 1) > 0 THEN 0 WHEN (used_months & 2) > 0 THEN 1
      WHEN (used_months & 4) > 0 THEN 2 WHEN (used_months & 8) > 0 THEN 3
      WHEN (used_months & 16) > 0 THEN 4 WHEN (used_months & 32) > 0 THEN 5 END AS used_ago
  FROM carried
)
-- a last bill often follows a departure, so where usage is known it must have begun again too
SELECT g.customer_id
FROM gone AS g
LEFT JOIN seen AS s ON s.customer_id = g.customer_id
WHERE NOT COALESCE(s.billed_ago < g.left_ago, FALSE)
  OR (NOT COALESCE(s.used_ago < g.left_ago, FALSE) AND :usage_1m)
