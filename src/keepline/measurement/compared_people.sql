-- question: whom does the comparison of a plan with those left alone speak of?
-- reads: assignments
-- makes: outcomes
SELECT customer_id, month
FROM assignments
WHERE by_rule
