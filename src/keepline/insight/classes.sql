-- question: in which class is each customer this month, and how did it move since the last?
-- reads: judged, classes as classes_before
-- makes: classes
WITH ranked AS (
  SELECT
    j.customer_id,
    j.month,
    j.class,
    b.class AS previous_class,
    CASE j.class WHEN 'important' THEN 3 WHEN 'key' THEN 2 WHEN 'potential' THEN 1 ELSE 0 END AS height,
    CASE b.class WHEN 'important' THEN 3 WHEN 'key' THEN 2 WHEN 'potential' THEN 1 ELSE 0 END AS previous_height,
    CASE b.class
      WHEN 'important' THEN '重要客户'
      WHEN 'key' THEN '重点大客户'
      WHEN 'potential' THEN '潜在大客户'
      ELSE '普通客户' END AS previous_zh,
    j.rule,
    j.reason_zh,
    j.reason_en
  FROM judged AS j
  LEFT JOIN classes_before AS b ON b.customer_id = j.customer_id
)
SELECT
  customer_id,
  month,
  class,
  previous_class,
  CASE
    WHEN previous_class IS NULL THEN 'new'
    WHEN height > previous_height THEN 'up'
    WHEN height < previous_height THEN 'down'
    ELSE 'same' END AS move,
  rule,
  CASE WHEN previous_class <> class THEN reason_zh || '；上月为' || previous_zh ELSE reason_zh END AS reason_zh,
  CASE WHEN previous_class <> class THEN reason_en || '; last month ' || previous_class ELSE reason_en END AS reason_en
FROM ranked
