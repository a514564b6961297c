-- question: what did the customer last answer to our surveys, as a share of the best answer?
-- reads: survey_answers
-- makes: features
WITH told AS (
  SELECT
    customer_id,
    question,
    CASE WHEN score BETWEEN 0 AND scale_max THEN score / NULLIF(scale_max, 0) END AS share,
    ROW_NUMBER() OVER (PARTITION BY customer_id, question ORDER BY months_ago) AS place
  FROM survey_answers
  WHERE months_ago <= 11 AND score IS NOT NULL
)
SELECT
  customer_id,
  MAX(CASE WHEN question = 'satisfaction' THEN share END) AS satisfaction,
  MAX(CASE WHEN question = 'stay' THEN share END) AS stay_intention,
  MAX(CASE WHEN question = 'recommend' THEN share END) AS recommend
FROM told
WHERE place = 1
GROUP BY customer_id
