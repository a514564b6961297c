-- question: how many new customers did each customer bring?
-- reads: referrals
-- makes: features
SELECT
  referrer_id AS customer_id,
  COUNT(*) AS referrals_12m
FROM referrals
WHERE months_ago <= 11 AND referrer_id IS NOT NULL
GROUP BY referrer_id
