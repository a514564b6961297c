-- question: which minutes and authority does each account manager have this month?
-- reads: managers
-- makes: managers
WITH told AS (
  SELECT
    manager_id,
    month,
    district,
    visit_minutes,
    authority_fen,
    ROW_NUMBER() OVER (PARTITION BY manager_id ORDER BY months_ago) AS place
  FROM managers
)
SELECT
  manager_id,
  month,
  district,
  visit_minutes,
  authority_fen
FROM told
WHERE place = 1
