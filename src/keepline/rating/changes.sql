-- question: what would the tariff have changed for each customer over the months, and for those they decide with?
-- reads: rated, rated as rated_of_all, customers, classes
-- makes: tariff_changes
WITH own AS (
  SELECT
    customer_id,
    MAX(group_id) AS group_id,
    COUNT(*) AS months,
    SUM(today_fen) AS today_fen,
    SUM(after_fen) AS after_fen,
    SUM(after_fen) - SUM(today_fen) AS change_fen
  FROM rated
  WHERE state = 'rated'
  GROUP BY customer_id
),
together AS (
  SELECT
    group_id,
    COUNT(DISTINCT month) AS months,
    SUM(after_fen) - SUM(today_fen) AS change_fen
  FROM rated_of_all
  WHERE state = 'rated'
  GROUP BY group_id
),
people AS (
  SELECT
    customer_id,
    kind,
    district,
    ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY months_ago) AS place
  FROM customers
)
SELECT
  o.customer_id,
  o.group_id,
  c.class,
  p.kind,
  p.district,
  o.months,
  CAST(o.today_fen AS BIGINT) AS today_fen,
  CAST(o.after_fen AS BIGINT) AS after_fen,
  CAST(o.change_fen AS BIGINT) AS change_fen,
  CAST(ROUND(o.change_fen / NULLIF(o.months, 0)) AS BIGINT) AS change_month_fen,
  CAST(t.change_fen AS BIGINT) AS group_change_fen,
  t.months AS group_months,
  CAST(NULL AS DOUBLE) AS moves,
  CAST(NULL AS DOUBLE) AS moves_low,
  CAST(NULL AS DOUBLE) AS moves_high
FROM own AS o
LEFT JOIN together AS t ON t.group_id = o.group_id
LEFT JOIN people AS p ON p.customer_id = o.customer_id AND p.place = 1
LEFT JOIN classes AS c ON c.customer_id = o.customer_id
WHERE :eligible
