-- question: how much does the customer use, and is it falling silent?
-- reads: carried
-- makes: features
WITH summed AS (
  SELECT
    customer_id,
    seen_before_ago,
    voice_s_0 AS voice_1m,
    CASE WHEN COALESCE(voice_s_0, voice_s_1, voice_s_2) IS NOT NULL
      THEN COALESCE(voice_s_0, 0) + COALESCE(voice_s_1, 0) + COALESCE(voice_s_2, 0) END AS voice_3m,
    CASE WHEN COALESCE(voice_s_1, voice_s_2) IS NOT NULL
      THEN COALESCE(voice_s_1, 0) + COALESCE(voice_s_2, 0) END AS voice_2m_before,
    CASE WHEN COALESCE(voice_in_s_0, voice_in_s_1, voice_in_s_2) IS NOT NULL
      THEN COALESCE(voice_in_s_0, 0) + COALESCE(voice_in_s_1, 0) + COALESCE(voice_in_s_2, 0) END AS voice_in_3m,
    CASE WHEN COALESCE(offnet_s_0, offnet_s_1, offnet_s_2) IS NOT NULL
      THEN COALESCE(offnet_s_0, 0) + COALESCE(offnet_s_1, 0) + COALESCE(offnet_s_2, 0) END AS offnet_3m,
    CASE WHEN COALESCE(roaming_s_0, roaming_s_1, roaming_s_2) IS NOT NULL
      THEN COALESCE(roaming_s_0, 0) + COALESCE(roaming_s_1, 0) + COALESCE(roaming_s_2, 0) END AS roaming_3m,
    data_kb_0 AS data_1m,
    CASE WHEN COALESCE(data_kb_0, data_kb_1, data_kb_2) IS NOT NULL
      THEN COALESCE(data_kb_0, 0) + COALESCE(data_kb_1, 0) + COALESCE(data_kb_2, 0) END AS data_3m,
    CASE WHEN COALESCE(data_kb_1, data_kb_2) IS NOT NULL
      THEN COALESCE(data_kb_1, 0) + COALESCE(data_kb_2, 0) END AS data_2m_before,
    CASE WHEN COALESCE(sms_0, sms_1, sms_2) IS NOT NULL
      THEN COALESCE(sms_0, 0) + COALESCE(sms_1, 0) + COALESCE(sms_2, 0) END AS sms_3m,
    CASE WHEN COALESCE(topups_0, topups_1, topups_2) IS NOT NULL
      THEN COALESCE(topups_0, 0) + COALESCE(topups_1, 0) + COALESCE(topups_2, 0) END AS topups_3m,
    active_days,
    used_ago,
    CASE WHEN COALESCE(dropped_calls_0, dropped_calls_1, dropped_calls_2) IS NOT NULL
      THEN COALESCE(dropped_calls_0, 0) + COALESCE(dropped_calls_1, 0) + COALESCE(dropped_calls_2, 0)
    END AS dropped_calls_3m
  FROM carried
)
SELECT
  customer_id,
  voice_1m AS voice_s,
  voice_3m AS voice_3m_s,
  CASE WHEN :voice_s_each_3m AND seen_before_ago IS NOT NULL
    THEN (2 * COALESCE(voice_1m, 0) - voice_2m_before) / NULLIF(voice_2m_before, 0)
  END AS voice_change,
  voice_in_3m AS voice_in_3m_s,
  offnet_3m / NULLIF(voice_3m, 0) AS offnet_share,
  roaming_3m AS roaming_3m_s,
  data_1m AS data_kb,
  data_3m AS data_3m_kb,
  CASE WHEN :data_kb_each_3m AND seen_before_ago IS NOT NULL
    THEN (2 * COALESCE(data_1m, 0) - data_2m_before) / NULLIF(data_2m_before, 0)
  END AS data_change,
  sms_3m,
  topups_3m,
  active_days,
  CASE WHEN :usage_1m THEN used_ago END AS months_silent,
  dropped_calls_3m
FROM summed
