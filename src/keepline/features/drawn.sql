-- question: how long ago did a pilot last draw the customer, into either arm?
-- reads: experiments
-- makes: features
SELECT
  customer_id,
  MIN(months_ago) AS months_since_lots
FROM experiments
GROUP BY customer_id
