"""The checker's questions to the written tables: each counts rows looked at and rows that break a rule.

``:names`` are filled with trees that policy gives; ``catalogue``, ``in_charge`` and ``facts`` are
relations the checker lays beside the tables.
"""

from __future__ import annotations

# code | 中文 | English
RULES = """
one_row | 在网客户每人恰有一行决策 | every customer of the base has exactly one row
of_the_month | 每行都属于本账期，带有政策与模型版本 | every row is of the month and carries its versions
known_state | 状态与组别在封闭清单之内且相符 | state and arm are in the closed lists and agree
nothing_to_do | 无需执行时优惠、渠道、金额为空，反之不为空 | offer and amounts are null exactly when nothing is done
in_catalogue | 安排的优惠在目录内，渠道相符，不低于底价 | offers are of the catalogue, on their channel, above the floor
eligible | 安排的客户满足优惠条件 | each treated customer meets the offer's conditions
consent | 需要授权的渠道只用于已授权的客户 | channels that need consent reach only those who gave it
blacklist | 黑名单客户不做安排 | nobody on the blacklist is treated
arrears | 欠费账龄超限的客户不做安排 | nobody whose arrears are too old is treated
contact_rhythm | 遵守触达上限与间隔 | caps and gaps between contacts are kept
complaints | 投诉未办结的客户不做安排 | nobody with an open complaint is treated
pilots | 试点观察期内的客户不入方案，仅有他们因此不入 | nobody of a running pilot has an arm; only they are kept out so
authority | 不超出客户经理的优惠权限 | no offer is beyond its manager's authority
lots | 抽中对照的客户一律不触达 | nobody drawn by lot is treated, and only they are held out
gains | 增量与成本与候选表一致且增量为正 | gain and cost are the candidates', and each gain is positive
has_candidate | 资源不足与对照的客户确有可增收的候选 | whoever is held out or below the cut has a candidate that gains
assigned | 对照分派与决策一致 | assignments and decisions agree
money | 费用不超限 | money is within its limit
contacts | 各渠道触达不超限 | contacts of each channel are within their limit
hours | 每位客户经理的工时不超限 | each manager's minutes are within their limit
scheduled | 每位受安排的客户恰有一个周次 | each treated customer has exactly one week of the plan
week_contacts | 各渠道每周触达不超限 | contacts of each channel in each week are within their limit
week_hours | 每位客户经理每周的工时不超限 | each manager's minutes in each week are within their limit
funnel | 各状态人数之和等于在网客户数 | the states add up to the base
"""

BASE = """
SELECT COUNT(*) AS base, SUM(CASE WHEN d.customer_id IS NULL THEN 1 ELSE 0 END) AS missing
FROM features AS f LEFT JOIN decisions AS d ON d.customer_id = f.customer_id"""

ROWS = """
SELECT
  COUNT(*) AS decided,
  COUNT(DISTINCT d.customer_id) AS customers,
  SUM(CASE WHEN f.customer_id IS NULL THEN 1 ELSE 0 END) AS strangers,
  SUM(CASE WHEN d.month = :month AND d.policy_version = :version AND NOT d.model_version IS NULL
    THEN 0 ELSE 1 END) AS of_the_month,
  SUM(CASE WHEN :known AND COALESCE(d.arm, '') = CASE WHEN d.state IN ('treated', 'held_out')
    THEN d.state ELSE '' END THEN 0 ELSE 1 END) AS known_state,
  SUM(CASE WHEN :known THEN 1 ELSE 0 END) AS in_a_state,
  SUM(CASE WHEN (d.state = 'treated') = (NOT d.offer_id IS NULL) AND (d.state = 'treated') = (NOT d.channel IS NULL)
    AND (d.state = 'treated') = (NOT d.gain_fen IS NULL) AND (d.state = 'treated') = (NOT d.cost_fen IS NULL)
    THEN 0 ELSE 1 END) AS nothing_to_do,
  SUM(CASE WHEN (d.state = 'treated' AND :lot) OR (d.state = 'held_out' AND NOT :lot) THEN 1 ELSE 0 END) AS lots,
  SUM(CASE WHEN d.state IN ('held_out', 'below_cut') AND NOT COALESCE(k.top > 0, FALSE)
    THEN 1 ELSE 0 END) AS has_candidate
FROM decisions AS d
LEFT JOIN features AS f ON f.customer_id = d.customer_id
LEFT JOIN (SELECT customer_id, MAX(gain_fen) AS top FROM candidates GROUP BY customer_id) AS k
  ON k.customer_id = d.customer_id"""

IN_CHARGE = """
SELECT manager_id, visit_minutes, authority_fen FROM (
  SELECT manager_id, visit_minutes, authority_fen,
    ROW_NUMBER() OVER (PARTITION BY manager_id ORDER BY months_ago) AS place
  FROM managers) AS told
WHERE place = 1"""

TREATED = """
SELECT
  COUNT(*) AS treated,
  SUM(CASE WHEN o.channel = d.channel AND o.above_floor THEN 0 ELSE 1 END) AS in_catalogue,
  SUM(CASE WHEN :eligible THEN 0 ELSE 1 END) AS eligible,
  SUM(CASE WHEN o.needs_consent AND NOT COALESCE(facts.consent, FALSE) THEN 1 ELSE 0 END) AS consent,
  SUM(CASE WHEN facts.blacklisted THEN 1 ELSE 0 END) AS blacklist,
  SUM(CASE WHEN facts.arrears_months > :arrears_months THEN 1 ELSE 0 END) AS arrears,
  SUM(CASE WHEN :contacts_max = 0 OR facts.contacts_out_1m >= :contacts_max
    OR facts.days_since_contact < :gap_days OR facts.days_since_contact < facts.contact_gap_days
    THEN 1 ELSE 0 END) AS contact_rhythm,
  SUM(CASE WHEN :complaint_stops AND facts.complaints_open > 0 THEN 1 ELSE 0 END) AS complaints,
  SUM(CASE WHEN :excludes AND o.in_person AND o.unit_cost > m.authority_fen THEN 1 ELSE 0 END) AS authority,
  SUM(CASE WHEN k.gain_fen = d.gain_fen AND k.cost_fen = d.cost_fen AND d.gain_fen > 0 THEN 0 ELSE 1 END) AS gains,
  CAST(SUM(d.cost_fen) AS BIGINT) AS money
FROM decisions AS d
JOIN facts ON facts.customer_id = d.customer_id
LEFT JOIN catalogue AS o ON o.offer_id = d.offer_id
LEFT JOIN in_charge AS m ON m.manager_id = d.manager_id
LEFT JOIN candidates AS k ON k.customer_id = d.customer_id AND k.offer_id = d.offer_id
WHERE d.state = 'treated'"""

PILOTS = """
SELECT
  COUNT(*) AS decided,
  SUM(CASE WHEN NOT d.arm IS NULL AND NOT e.customer_id IS NULL THEN 1
    WHEN d.state = 'in_pilot' AND e.customer_id IS NULL THEN 1 ELSE 0 END) AS amiss
FROM decisions AS d
LEFT JOIN (SELECT DISTINCT customer_id FROM experiments WHERE months_ago < :horizon) AS e
  ON e.customer_id = d.customer_id"""

# Of each limited means: its name, the week (0: the month), how much is used of it, and the most that may be.
CONTACTS = """
SELECT d.channel AS name, 0 AS week, COUNT(*) AS used, MAX(:most) AS most
FROM decisions AS d WHERE d.state = 'treated' GROUP BY d.channel"""

HOURS = """
SELECT d.manager_id AS name, 0 AS week, SUM(o.minutes) AS used, MAX(COALESCE(m.visit_minutes, :each)) AS most
FROM decisions AS d
JOIN catalogue AS o ON o.offer_id = d.offer_id
LEFT JOIN in_charge AS m ON m.manager_id = d.manager_id
WHERE d.state = 'treated' AND o.minutes > 0 GROUP BY d.manager_id"""

SCHEDULED = """
SELECT
  COUNT(*) AS treated,
  SUM(CASE WHEN s.week BETWEEN 1 AND :weeks AND s.month = d.month THEN 0 ELSE 1 END) AS apart
FROM (SELECT customer_id, month FROM decisions WHERE state = 'treated') AS d
LEFT JOIN schedule AS s ON s.customer_id = d.customer_id"""

IN_WEEKS = "SELECT COUNT(*) AS scheduled FROM schedule"

WEEK_CONTACTS = """
SELECT d.channel AS name, s.week AS week, COUNT(*) AS used, MAX(:most) AS most
FROM decisions AS d JOIN schedule AS s ON s.customer_id = d.customer_id
WHERE d.state = 'treated' GROUP BY d.channel, s.week"""

WEEK_HOURS = """
SELECT d.manager_id AS name, s.week AS week, SUM(o.minutes) AS used, MAX(:each) AS most
FROM decisions AS d
JOIN schedule AS s ON s.customer_id = d.customer_id
JOIN catalogue AS o ON o.offer_id = d.offer_id
WHERE d.state = 'treated' AND o.minutes > 0 GROUP BY d.manager_id, s.week"""

ASSIGNED = """
SELECT
  COUNT(*) AS assigned,
  SUM(CASE WHEN d.arm = a.arm AND f.margin_3m_fen IS NOT DISTINCT FROM a.margin_before_fen
    AND (a.arm = 'held_out' AND a.by_rule OR d.offer_id = a.offer_id AND d.gain_fen = a.gain_fen
      AND d.cost_fen = a.cost_fen)
    THEN 0 ELSE 1 END) AS apart
FROM assignments AS a
LEFT JOIN decisions AS d ON d.customer_id = a.customer_id
LEFT JOIN features AS f ON f.customer_id = a.customer_id"""

IN_ARMS = "SELECT COUNT(*) AS in_arms FROM decisions WHERE NOT arm IS NULL"
