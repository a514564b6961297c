-- question: how many customers, and what value, in each cell of value by loyalty?
-- reads: scores
-- makes: figures
WITH banded AS (
  SELECT
    CASE
      WHEN value_fen IS NULL THEN 'unknown'
      WHEN value_fen >= :top_fen THEN 'top'
      WHEN value_fen >= :next_fen THEN 'next'
      ELSE 'rest'
    END AS band,
    loyalty,
    loyalty_kind,
    value_fen,
    CAST(ROUND(leave_probability * 1000000000) AS BIGINT) AS leave_e9
  FROM scores
)
SELECT
  band,
  loyalty,
  loyalty_kind,
  CAST(COUNT(*) AS BIGINT) AS customers,
  CAST(SUM(value_fen) AS BIGINT) AS value_fen,
  CAST(COUNT(leave_e9) AS BIGINT) AS leave_known,
  CAST(SUM(leave_e9) AS BIGINT) AS leave_e9
FROM banded
GROUP BY band, loyalty, loyalty_kind
