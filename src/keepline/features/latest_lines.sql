-- question: what was last told of each line of a customer, at or before the snapshot?
-- reads: lines
-- makes: latest_lines
WITH told AS (
  SELECT
    lines.*,
    ROW_NUMBER() OVER (PARTITION BY customer_id, line_id ORDER BY months_ago) AS place
  FROM lines
)
SELECT
  line_id, customer_id, month, product, plan_id, status, started_on, contract_end_on, ended_on, ported_in
FROM told
WHERE place = 1
