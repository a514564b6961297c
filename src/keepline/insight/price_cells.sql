-- question: at which price was how much bought, by customers alike, in the same month?
-- reads: quoted
-- makes: price_cells
SELECT
  segment,
  product_id,
  month,
  band,
  price_fen,
  list_price_fen,
  COUNT(*) AS quotes,
  ROUND(SUM(bought), 6) AS bought,
  ROUND(SUM(bought * bought), 6) AS squares
FROM quoted
GROUP BY segment, product_id, month, band, price_fen, list_price_fen
