-- question: with which other customers does each compare in how they answer to price?
-- reads: features
-- makes: price_sensitivity
SELECT
  customer_id,
  month,
  CONCAT(
    COALESCE(kind, 'unknown'), '/',
    CASE
      WHEN plan_price_fen IS NULL THEN 'unknown'
      WHEN plan_price_fen < 5000 THEN 'low'
      WHEN plan_price_fen < 12000 THEN 'middle'
      ELSE 'high'
    END, '/',
    CASE WHEN tenure_months IS NULL THEN 'unknown' WHEN tenure_months < 24 THEN 'new' ELSE 'old' END
  ) AS segment
FROM features
