-- question: in which districts of which cities are managed customers?
-- reads: features
-- makes: account_places
SELECT
  f.region,
  f.district
FROM features AS f
WHERE f.manager_id IS NOT NULL AND f.district IS NOT NULL
GROUP BY f.region, f.district
