-- question: what do a year's bills and complaints say of each customer?
-- reads: bills, customers, complaints
-- makes: joined
WITH billed AS (
  SELECT
    customer_id,
    COUNT(*) AS n_months,
    SUM(arpu_minor) AS total_12m,
    MAX(CASE WHEN months_ago = 0 THEN arpu_minor END) AS last_arpu,
    SUM(CASE WHEN months_ago <= 2 THEN arpu_minor ELSE 0 END) AS last3,
    SUM((12 - months_ago) * arpu_minor) AS weighed,
    MIN(CASE WHEN arrears_minor > 0 THEN months_ago END) AS months_since_arrears,
    MIN(CASE WHEN arpu_minor > 0 THEN months_ago END) AS recency,
    COUNT(CASE WHEN arpu_minor > 0 THEN 1 END) AS frequency,
    SUM(voice_min) AS voice_12m,
    SUM(data_mb) AS data_12m,
    SUM(sms) AS sms_12m,
    SUM(arrears_minor) AS arrears_12m,
    SUM(complaints) AS bill_complaints,
    MAX(CASE WHEN months_ago = 0 THEN plan_id END) AS last_plan,
    MIN(plan_id) AS least_plan,
    MAX(plan_id) AS greatest_plan
  FROM bills
  GROUP BY customer_id
),
complained AS (
  SELECT
    customer_id,
    COUNT(*) AS n_complaints,
    COUNT(CASE WHEN NOT resolved THEN 1 END) AS n_open,
    MAX(ts) AS last_complaint
  FROM complaints
  GROUP BY customer_id
)
SELECT
  billed.customer_id, n_months, total_12m, total_12m / NULLIF(n_months, 0) AS mean_arpu, last_arpu, last3,
  (12 * weighed - 78 * total_12m) / 1716 AS slope, months_since_arrears, recency, frequency, voice_12m, data_12m, sms_12m,
  arrears_12m, bill_complaints, last_plan, CASE WHEN greatest_plan <> least_plan THEN 1 ELSE 0 END AS plan_changed,
  segment, region, activation_date, marketing_consent, device_class, COALESCE(n_complaints, 0) AS n_complaints,
  COALESCE(n_open, 0) AS n_open, last_complaint
FROM billed
INNER JOIN customers ON customers.customer_id = billed.customer_id
LEFT JOIN complained ON complained.customer_id = billed.customer_id
