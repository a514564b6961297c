-- question: what did each billed customer use, hold and pay in the month, and with whom do they belong together?
-- reads: bills, usage, lines, plans, affiliations
-- makes: metered
WITH billed AS (
  SELECT
    customer_id,
    month,
    SUM(amount_fen) AS today_fen,
    SUM(CASE WHEN :replaced THEN amount_fen ELSE 0 END) AS replaced_fen
  FROM bills
  WHERE months_ago = 0
  GROUP BY customer_id, month
),
told AS (
  SELECT
    lines.*,
    ROW_NUMBER() OVER (PARTITION BY customer_id, line_id ORDER BY months_ago) AS place
  FROM lines
),
held AS (
  SELECT
    customer_id,
    COALESCE(product, 'other') AS product,
    plan_id
  FROM told
  WHERE place = 1 AND COALESCE(status, 'active') <> 'disconnected' AND COALESCE(ended_on > :month_end, TRUE)
    AND COALESCE(started_on, :month_end) <= :month_end
),
priced AS (
  SELECT
    plan_id,
    price_fen,
    ROW_NUMBER() OVER (PARTITION BY plan_id ORDER BY months_ago) AS place
  FROM plans
),
counted AS (
  SELECT
    h.customer_id,
    SUM(CASE WHEN h.product = 'mobile' THEN 1 ELSE 0 END) AS mobile,
    SUM(CASE WHEN h.product = 'broadband' THEN 1 ELSE 0 END) AS broadband,
    SUM(CASE WHEN h.product = 'tv' THEN 1 ELSE 0 END) AS tv,
    SUM(CASE WHEN h.product = 'fixed' THEN 1 ELSE 0 END) AS fixed,
    SUM(CASE WHEN h.product = 'iot' THEN 1 ELSE 0 END) AS iot,
    SUM(CASE WHEN h.product = 'circuit' THEN 1 ELSE 0 END) AS circuit,
    SUM(CASE WHEN h.product = 'other' THEN 1 ELSE 0 END) AS other,
    SUM(CASE WHEN :covered THEN 0 ELSE COALESCE(p.price_fen, 0) END) AS kept_fen,
    SUM(CASE WHEN :covered THEN 0 WHEN p.price_fen IS NULL THEN 1 ELSE 0 END) AS unpriced
  FROM held AS h
  LEFT JOIN priced AS p ON p.plan_id = h.plan_id AND p.place = 1
  GROUP BY h.customer_id
),
belongs AS (
  SELECT
    customer_id,
    head_id,
    ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY months_ago) AS place
  FROM affiliations
)
SELECT
  b.customer_id,
  b.month,
  CASE WHEN :together THEN COALESCE(a.head_id, b.customer_id) ELSE b.customer_id END AS group_id,
  CAST(b.today_fen AS BIGINT) AS today_fen,
  CAST(b.replaced_fen AS BIGINT) AS replaced_fen,
  CAST(CASE WHEN c.unpriced > 0 THEN NULL ELSE COALESCE(c.kept_fen, 0) END AS BIGINT) AS kept_fen,
  CAST(COALESCE(c.mobile, 0) AS BIGINT) AS mobile,
  CAST(COALESCE(c.broadband, 0) AS BIGINT) AS broadband,
  CAST(COALESCE(c.tv, 0) AS BIGINT) AS tv,
  CAST(COALESCE(c.fixed, 0) AS BIGINT) AS fixed,
  CAST(COALESCE(c.iot, 0) AS BIGINT) AS iot,
  CAST(COALESCE(c.circuit, 0) AS BIGINT) AS circuit,
  CAST(COALESCE(c.other, 0) AS BIGINT) AS other,
  CASE WHEN u.customer_id IS NULL THEN 0 ELSE u.voice_s END AS voice,
  CASE WHEN u.customer_id IS NULL THEN 0 ELSE u.voice_s - u.offnet_s END AS voice_onnet,
  CASE WHEN u.customer_id IS NULL THEN 0 ELSE u.offnet_s END AS voice_offnet,
  CASE WHEN u.customer_id IS NULL THEN 0 ELSE u.voice_in_s END AS voice_in,
  CASE WHEN u.customer_id IS NULL THEN 0 ELSE u.roaming_s END AS roaming,
  CASE WHEN u.customer_id IS NULL THEN 0 ELSE u.data_kb END AS data,
  CASE WHEN u.customer_id IS NULL THEN 0 ELSE u.sms END AS sms
FROM billed AS b
LEFT JOIN counted AS c ON c.customer_id = b.customer_id
LEFT JOIN belongs AS a ON a.customer_id = b.customer_id AND a.place = 1
LEFT JOIN usage AS u ON u.customer_id = b.customer_id AND u.months_ago = 0
