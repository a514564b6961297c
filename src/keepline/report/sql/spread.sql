-- question: how are amounts spread over customers, in steps fine enough for shares?
-- reads: amounts
-- makes: figures
-- Steps grow with the amount (1 % at most above 100 yuan), so that the answer stays small however many customers there are.
WITH stepped AS (
  SELECT
    amount_fen,
    CAST(CASE
      WHEN amount_fen IS NULL THEN NULL
      WHEN amount_fen <= 0 THEN 0
      WHEN amount_fen < 100000 THEN FLOOR(amount_fen / 100.0) * 100
      WHEN amount_fen < 1000000 THEN FLOOR(amount_fen / 1000.0) * 1000
      WHEN amount_fen < 10000000 THEN FLOOR(amount_fen / 10000.0) * 10000
      WHEN amount_fen < 100000000 THEN FLOOR(amount_fen / 100000.0) * 100000
      ELSE FLOOR(amount_fen / 10000000.0) * 10000000
    END AS BIGINT) AS step_fen
  FROM amounts
)
SELECT
  step_fen,
  CAST(COUNT(*) AS BIGINT) AS customers,
  CAST(SUM(amount_fen) AS BIGINT) AS amount_fen
FROM stepped
GROUP BY step_fen
