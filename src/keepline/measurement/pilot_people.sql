-- question: who took part in any pilot of the month?
-- reads: experiments
-- makes: outcomes
SELECT customer_id, month
FROM experiments
GROUP BY customer_id, month
