-- question: who is the customer, as last told at or before the snapshot?
-- reads: customers
-- makes: features
WITH told AS (
  SELECT
    customers.*,
    ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY months_ago) AS place
  FROM customers
)
SELECT
  customer_id,
  kind,
  industry,
  region,
  district,
  manager_id,
  star_rating,
  listed_class,
  consent,
  blacklisted,
  preferred_channel,
  contact_gap_days,
  CASE WHEN joined_on <= :month_end
    THEN 12 * (YEAR(:month_end) - YEAR(joined_on)) + MONTH(:month_end) - MONTH(joined_on)
  END AS tenure_months,
  CASE WHEN kind = 'person' AND birthday <= :month_end
    THEN YEAR(:month_end) - YEAR(birthday)
      - CASE WHEN 100 * MONTH(birthday) + DAY(birthday) > 100 * MONTH(:month_end) + DAY(:month_end) THEN 1 ELSE 0 END
  END AS age_years,
  CASE WHEN MONTH(birthday) >= MONTH(:month_end)
    THEN MONTH(birthday) - MONTH(:month_end)
    ELSE MONTH(birthday) - MONTH(:month_end) + 12
  END AS months_to_birthday
FROM told
WHERE place = 1
