-- question: of whom was something forecast?
-- reads: scores
-- makes: outcomes
SELECT customer_id, month
FROM scores
