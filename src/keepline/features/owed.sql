-- question: what does the customer owe, how old is it, and how often was it late?
-- reads: carried
-- makes: features
SELECT
  customer_id,
  owed_fen AS arrears_fen,
  owed_months AS arrears_months,
  CASE WHEN COALESCE(late_0, late_1, late_2, late_3, late_4, late_5) IS NOT NULL
    THEN COALESCE(late_0, 0) + COALESCE(late_1, 0) + COALESCE(late_2, 0) + COALESCE(late_3, 0)
      + COALESCE(late_4, 0) + COALESCE(late_5, 0)
  END AS late_6m
FROM carried
