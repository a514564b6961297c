-- question: in which month of the window is a departure recorded?
-- reads: departures
-- makes: outcomes
SELECT
  customer_id,
  MIN(:months - months_ago) AS left_after
FROM departures
GROUP BY customer_id
