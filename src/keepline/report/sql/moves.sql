-- question: how many customers moved between classes, by which rule, and what do they bring?
-- reads: classes, features
-- makes: figures
SELECT
  c.previous_class,
  c.class,
  c.move,
  c.rule,
  c.reason_zh,
  c.reason_en,
  CAST(COUNT(*) AS BIGINT) AS customers,
  CAST(SUM(f.revenue_fen) AS BIGINT) AS revenue_fen
FROM classes AS c
LEFT JOIN features AS f ON f.customer_id = c.customer_id
GROUP BY c.previous_class, c.class, c.move, c.rule, c.reason_zh, c.reason_en
