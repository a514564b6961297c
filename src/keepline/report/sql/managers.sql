-- question: which district does each manager mainly look after?
-- reads: features
-- makes: figures
SELECT
  manager_id,
  district,
  CAST(COUNT(*) AS BIGINT) AS customers
FROM features
WHERE manager_id IS NOT NULL
GROUP BY manager_id, district
