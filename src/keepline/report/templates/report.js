// The page's behaviour: language, theme, table views, drawing what comes into sight, and paper.
(() => {
  "use strict";

  const root = document.documentElement;
  const said = JSON.parse(document.getElementById("drawn").textContent);
  const asked = new URLSearchParams(location.search);
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const charts = new Map();
  const PAPER_WIDTH = 680;
  let onPaper = false;

  // a page opened from a file may be denied storage; the switches work all the same
  function remembered(key) {
    try { return localStorage.getItem("keepline-" + key); } catch { return null; }
  }
  function remember(key, value) {
    try { localStorage.setItem("keepline-" + key, value); } catch { /* nothing is remembered */ }
  }

  function choose(key, allowed, otherwise) {
    const wish = asked.get(key) || remembered(key);
    return allowed.includes(wish) ? wish : otherwise;
  }

  function setLanguage(language) {
    root.dataset.lang = language;
    root.lang = language === "zh" ? "zh-CN" : "en";
  }

  function setTheme(theme) {
    root.dataset.theme = theme;
  }

  function colour(name) {
    return getComputedStyle(root).getPropertyValue("--" + name).trim();
  }

  function environment(width) {
    const names = ["ink", "dim", "line", "paper", "blue", "orange", "green", "red", "sky", "pink", "grey"];
    const colours = Object.fromEntries(names.map((name) => [name, colour(name)]));
    colours.heatLow = colour("heat-low");
    colours.heatHigh = colour("heat-high");
    return {
      language: root.dataset.lang,
      theme: onPaper ? "light" : root.dataset.theme,
      motion: !calm.matches && !onPaper,
      narrow: width < 400,
      width,
      font: getComputedStyle(document.body).fontFamily,
      money: said.money,
      colours,
    };
  }

  function draw(picture) {
    const place = document.getElementById("chart-" + picture.id);
    const width = place.clientWidth;
    if (!width) return; // behind its table, or in a closed part
    let chart = charts.get(picture.id);
    if (!chart) {
      chart = echarts.init(place, null, { renderer: "svg" });
      charts.set(picture.id, chart);
    }
    const env = environment(width);
    place.style.height = keeplineCharts.height(picture, env, picture.height) + "px";
    chart.resize({ width, height: place.clientHeight, silent: true });
    chart.setOption(keeplineCharts.options(picture, env), true);
  }

  const drawAll = () => said.pictures.forEach(draw);

  function turn(button) {
    const figure = button.closest("figure");
    const table = figure.classList.toggle("as-table");
    button.setAttribute("aria-pressed", String(table));
    if (!table) draw(said.pictures.find((picture) => "picture-" + picture.id === figure.id));
  }

  function toPaper() {
    if (onPaper) return;
    onPaper = true;
    for (const folded of document.querySelectorAll("details:not([open])")) {
      folded.dataset.closed = "";
      folded.open = true;
    }
    root.dataset.screenTheme = root.dataset.theme;
    setTheme("light");
    for (const picture of said.pictures) {
      const place = document.getElementById("chart-" + picture.id);
      place.style.width = (place.closest(".pair") ? PAPER_WIDTH / 2 - 32 : PAPER_WIDTH - 28) + "px";
    }
    drawAll();
  }

  function toScreen() {
    if (!onPaper) return;
    onPaper = false;
    setTheme(root.dataset.screenTheme);
    for (const folded of document.querySelectorAll("details[data-closed]")) {
      folded.open = false;
      delete folded.dataset.closed;
    }
    for (const picture of said.pictures) document.getElementById("chart-" + picture.id).style.width = "";
    drawAll();
  }

  function follow() {
    const links = new Map([...document.querySelectorAll(".contents a")].map((a) => [a.hash.slice(1), a]));
    const head = document.querySelector(".top").offsetHeight;
    const seen = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        for (const link of links.values()) link.classList.remove("here");
        links.get(entry.target.id)?.classList.add("here");
      }
    }, { rootMargin: `${-head - 28}px 0px -70% 0px` });
    for (const section of document.querySelectorAll("main > section")) seen.observe(section);
  }

  root.classList.add("script");
  setLanguage(choose("lang", ["zh", "en"], "zh"));
  setTheme(choose("theme", ["light", "dark"], matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
  if (matchMedia("(max-width: 720px)").matches) document.querySelector(".contents details").open = false;

  document.getElementById("language").addEventListener("click", () => {
    setLanguage(root.dataset.lang === "zh" ? "en" : "zh");
    remember("lang", root.dataset.lang);
    drawAll();
  });
  document.getElementById("theme").addEventListener("click", () => {
    setTheme(root.dataset.theme === "dark" ? "light" : "dark");
    remember("theme", root.dataset.theme);
    drawAll();
  });
  document.getElementById("print").addEventListener("click", () => print());
  for (const button of document.querySelectorAll(".turn")) button.addEventListener("click", () => turn(button));

  let waiting = 0;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { if (!onPaper) drawAll(); }, 120);
  });
  addEventListener("beforeprint", toPaper);
  addEventListener("afterprint", toScreen);
  calm.addEventListener("change", drawAll);

  drawAll();
  follow();
})();
