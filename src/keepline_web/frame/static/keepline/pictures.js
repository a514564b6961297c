// Draws the charts of a page from the data beside each; the tables are there without it.
"use strict";
(() => {
  const root = document.documentElement;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const NAMES = ["ink", "dim", "line", "paper", "blue", "orange", "green", "red", "sky", "pink", "grey"];
  const charts = new Map();

  // a custom property may be light-dark(…): only a colour that is used is worked out
  const colours = () => {
    const probe = document.createElement("span");
    probe.hidden = true;
    document.body.append(probe);
    const found = Object.fromEntries(NAMES.map((name) => {
      probe.style.color = `var(--${name})`;
      return [name, getComputedStyle(probe).color];
    }));
    probe.remove();
    return found;
  };

  const environment = (width, picture) => ({
    language: root.lang.startsWith("zh") ? "zh" : "en",
    motion: !calm.matches,
    narrow: width < 400,
    width,
    font: getComputedStyle(document.body).fontFamily,
    money: picture.money,
    colours: colours(),
  });

  // where a part of a picture leads: by its place in a row of bars, by its name in a flow
  const way = (picture, at) => {
    const ways = picture.data.hrefs;
    if (!ways) { return ""; }
    return Array.isArray(ways) ? ways[at.dataIndex] : ways[at.dataType === "edge" ? `${at.data.source}>${at.data.target}` : at.name];
  };

  const draw = (figure) => {
    const place = figure.querySelector(".drawing");
    const picture = JSON.parse(place.dataset.picture);
    place.hidden = false;
    const width = place.clientWidth;
    if (!width) { return; }
    let chart = charts.get(figure);
    if (!chart) {
      figure.querySelector("details").open = false;
      chart = echarts.init(place, null, { renderer: "canvas" });
      charts.set(figure, chart);
      chart.on("click", (at) => { const to = way(picture, at); if (to) { location.assign(to); } });
    }
    const env = environment(width, picture);
    place.style.height = keeplineCharts.height(picture, env, picture.height) + "px";
    chart.resize({ width, height: place.clientHeight, silent: true });
    chart.setOption(keeplineCharts.options(picture, env), true);
  };

  const all = () => document.querySelectorAll("figure.chart").forEach(draw);
  let waiting = 0;
  addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(all, 120); });
  calm.addEventListener("change", all);
  dark.addEventListener("change", all);
  all();
})();
