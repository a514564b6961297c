-- question: which promises to the customer were kept, and which were not?
-- reads: promises
-- makes: features
-- a promise that fell due before the month's end without an outcome counts as broken on the day it was due
WITH told AS (
  SELECT
    customer_id,
    CASE WHEN ended_on <= :month_end THEN kept ELSE FALSE END AS kept,
    CASE WHEN ended_on <= :month_end THEN ended_on WHEN due_on < :month_end THEN due_on END AS on_day
  FROM promises
  WHERE COALESCE(promised_on, :month_end) <= :month_end
)
SELECT
  customer_id,
  SUM(CASE WHEN kept THEN 1 ELSE 0 END) AS promises_kept_3m,
  SUM(CASE WHEN kept THEN 0 ELSE 1 END) AS promises_broken_3m
FROM told
WHERE on_day IS NOT NULL
  AND 12 * (YEAR(:month_end) - YEAR(on_day)) + MONTH(:month_end) - MONTH(on_day) <= 2
GROUP BY customer_id
