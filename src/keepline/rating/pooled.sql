-- question: what did all accounts of an organisation use together, and what those before this one?
-- reads:
-- makes: pooled
SELECT
  customer_id,
  month,
  group_id,
  today_fen,
  replaced_fen,
  kept_fen,
  mobile,
  broadband,
  tv,
  fixed,
  iot,
  circuit,
  other,
  voice,
  voice_onnet,
  voice_offnet,
  voice_in,
  roaming,
  data,
  sms,
  COUNT(*) OVER (PARTITION BY group_id, :moved) AS members,
  CAST(SUM(:counted) OVER (PARTITION BY group_id, :moved) AS BIGINT) AS all_lines,
  CASE WHEN COUNT(voice) OVER (PARTITION BY group_id, :moved) = COUNT(*) OVER (PARTITION BY group_id, :moved)
    THEN CAST(SUM(voice) OVER (PARTITION BY group_id, :moved) AS BIGINT)
  END AS all_voice,
  CAST(SUM(voice) OVER (PARTITION BY group_id, :moved ORDER BY customer_id) AS BIGINT) AS upto_voice,
  CASE WHEN COUNT(data) OVER (PARTITION BY group_id, :moved) = COUNT(*) OVER (PARTITION BY group_id, :moved)
    THEN CAST(SUM(data) OVER (PARTITION BY group_id, :moved) AS BIGINT)
  END AS all_data,
  CAST(SUM(data) OVER (PARTITION BY group_id, :moved ORDER BY customer_id) AS BIGINT) AS upto_data,
  CASE WHEN COUNT(sms) OVER (PARTITION BY group_id, :moved) = COUNT(*) OVER (PARTITION BY group_id, :moved)
    THEN CAST(SUM(sms) OVER (PARTITION BY group_id, :moved) AS BIGINT)
  END AS all_sms,
  CAST(SUM(sms) OVER (PARTITION BY group_id, :moved ORDER BY customer_id) AS BIGINT) AS upto_sms
FROM metered
