-- question: how much does the customer use, and is it falling silent?
-- reads: usage
-- makes: features
WITH summed AS (
  SELECT
    customer_id,
    MAX(months_ago) AS first_ago,
    SUM(CASE WHEN months_ago = 0 THEN voice_s END) AS voice_1m,
    SUM(CASE WHEN months_ago <= 2 THEN voice_s END) AS voice_3m,
    SUM(CASE WHEN months_ago BETWEEN 1 AND 2 THEN voice_s END) AS voice_2m_before,
    SUM(CASE WHEN months_ago <= 2 THEN voice_in_s END) AS voice_in_3m,
    SUM(CASE WHEN months_ago <= 2 THEN offnet_s END) AS offnet_3m,
    SUM(CASE WHEN months_ago <= 2 THEN roaming_s END) AS roaming_3m,
    SUM(CASE WHEN months_ago = 0 THEN data_kb END) AS data_1m,
    SUM(CASE WHEN months_ago <= 2 THEN data_kb END) AS data_3m,
    SUM(CASE WHEN months_ago BETWEEN 1 AND 2 THEN data_kb END) AS data_2m_before,
    SUM(CASE WHEN months_ago <= 2 THEN sms END) AS sms_3m,
    SUM(CASE WHEN months_ago <= 2 THEN topups END) AS topups_3m,
    SUM(CASE WHEN months_ago = 0 THEN active_days END) AS active_days,
    MIN(CASE WHEN voice_s > 0 OR voice_in_s > 0 OR roaming_s > 0 OR data_kb > 0 OR sms > 0 OR active_days > 0
      THEN months_ago END) AS used_ago,
    SUM(CASE WHEN months_ago <= 2 THEN dropped_calls END) AS dropped_calls_3m
  FROM usage
  WHERE months_ago <= 5
  GROUP BY customer_id
)
SELECT
  customer_id,
  voice_1m AS voice_s,
  voice_3m AS voice_3m_s,
  CASE WHEN :voice_s_each_3m AND first_ago >= 2
    THEN (2 * COALESCE(voice_1m, 0) - voice_2m_before) / NULLIF(voice_2m_before, 0)
  END AS voice_change,
  voice_in_3m AS voice_in_3m_s,
  offnet_3m / NULLIF(voice_3m, 0) AS offnet_share,
  roaming_3m AS roaming_3m_s,
  data_1m AS data_kb,
  data_3m AS data_3m_kb,
  CASE WHEN :data_kb_each_3m AND first_ago >= 2
    THEN (2 * COALESCE(data_1m, 0) - data_2m_before) / NULLIF(data_2m_before, 0)
  END AS data_change,
  sms_3m,
  topups_3m,
  active_days,
  CASE WHEN :usage_1m THEN used_ago END AS months_silent,
  dropped_calls_3m
FROM summed
