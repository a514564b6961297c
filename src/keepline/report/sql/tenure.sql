-- question: how long have customers been with us?
-- reads: features
-- makes: figures
SELECT
  tenure_months,
  CAST(COUNT(*) AS BIGINT) AS customers,
  CAST(SUM(revenue_fen) AS BIGINT) AS revenue_fen
FROM features
GROUP BY tenure_months
