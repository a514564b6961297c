// How each kind of picture is drawn: from its data to the options of Apache ECharts, in one language and theme.
const keeplineCharts = (() => {
  "use strict";

  const STEPS = { zh: [[1e8, "亿", 2], [1e4, "万", 2]], en: [[1e9, "B", 2], [1e6, "M", 2], [1e3, "K", 2]] };
  const CLASS_COLOURS = { important: "blue", key: "green", potential: "orange", ordinary: "grey", new: "pink" };
  const BAND_COLOURS = { high: "red", medium: "orange", low: "sky", unknown: "grey" };
  const LIMIT_COLOURS = { binding: "red", free: "sky" };
  const STATE_COLOURS = { base: "blue", treated: "green", held_out: "pink", below_cut: "orange" };
  const PLAIN = { symbol: "none" };
  const DECALS = [
    PLAIN,
    { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [3, 6], rotation: -Math.PI / 4, color: "rgba(255,255,255,.45)" },
    { symbol: "circle", symbolSize: 0.55, dashArrayX: [[7, 7], [0, 7, 7, 0]], dashArrayY: [7, 0], color: "rgba(255,255,255,.55)" },
    { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [2, 6], color: "rgba(255,255,255,.45)" },
  ];

  function grouped(number, places) {
    return number.toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });
  }

  function short(number, language) {
    for (const [size, mark, places] of STEPS[language]) {
      if (Math.abs(number) >= Math.max(size, 1e4)) return String(Number((number / size).toFixed(places))) + mark;
    }
    return grouped(number, Math.abs(number) < 10 && number % 1 ? 1 : 0);
  }

  // value → text; exact for tooltips, short for axes and labels
  function formats(kind, env) {
    const none = (say) => (value) => (value === null || value === undefined || Number.isNaN(value) ? "--" : say(value));
    if (kind === "money") {
      const sign = (text) => (text.startsWith("-") ? "-" + env.money.symbol + text.slice(1) : env.money.symbol + text);
      return {
        exact: none((fen) => sign(grouped(fen / 100, Math.abs(fen) < 1e5 ? 2 : 0))),
        short: none((fen) => sign(short(fen / 100, env.language))),
      };
    }
    if (kind === "share") {
      return { exact: none((v) => grouped(v * 100, 1) + "%"), short: none((v) => grouped(v * 100, 0) + "%") };
    }
    return { exact: none((v) => grouped(v, v % 1 ? 1 : 0)), short: none((v) => short(v, env.language)) };
  }

  function common(picture, env) {
    const { colours } = env;
    return {
      animation: env.motion,
      animationDuration: 350,
      backgroundColor: "transparent",
      textStyle: { fontFamily: env.font, color: colours.ink, fontSize: 12 },
      color: [colours.blue, colours.orange, colours.green, colours.pink],
      aria: {
        enabled: true,
        label: { description: picture.title[env.language] + ". " + picture.unit[env.language] + "." },
        decal: { show: true, decals: DECALS },
      },
      tooltip: {
        renderMode: "richText",
        confine: true,
        backgroundColor: colours.paper,
        borderColor: colours.line,
        textStyle: { color: colours.ink, fontFamily: env.font, fontSize: 13 },
      },
    };
  }

  function valueAxis(env, say, more = {}) {
    const { colours } = env;
    return {
      type: "value",
      axisLabel: { color: colours.dim, formatter: say.short, hideOverlap: true },
      axisLine: { show: false },
      splitLine: { lineStyle: { color: colours.line } },
      splitNumber: env.narrow ? 3 : 5,
      ...more,
    };
  }

  function nameAxis(env, names, width) {
    const { colours } = env;
    return {
      type: "category",
      inverse: true,
      data: names,
      axisTick: { show: false },
      axisLine: { lineStyle: { color: colours.line } },
      axisLabel: { color: colours.ink, width, overflow: "break", lineHeight: 15, interval: 0 },
    };
  }

  const legend = (env) => ({ bottom: 0, itemWidth: 16, itemHeight: 10, textStyle: { color: env.colours.dim } });

  // about how wide a text is drawn at 12 px: ideographs are square, letters half of that
  const textWidth = (text) => [...text].reduce((sum, sign) => sum + (sign.charCodeAt(0) > 0x2e7f ? 12.4 : 7), 0);

  function nameWidth(env, names) {
    const most = env.narrow ? 112 : Math.min(230, Math.round(env.width * 0.34));
    return Math.min(most, Math.ceil(Math.max(...names.map(textWidth), 24)) + 2);
  }

  const HEADROOM = { bars: 52, waterfall: 16, forest: 44 };

  // how high a picture with a row for each name must be, so that wrapped names do not meet
  function height(picture, env, planned) {
    const rows = (picture.data.names || (picture.data.rows || []).map((row) => row.name)) || [];
    if (!HEADROOM[picture.kind] || !rows.length) return planned;
    const names = rows.map((name) => name[env.language]);
    const width = nameWidth(env, names);
    const lines = Math.max(...names.map((name) => Math.ceil((textWidth(name) * 1.12) / width)));
    const bars = picture.kind === "bars" ? picture.data.series.length : 1;
    return Math.max(env.narrow ? 0 : planned, HEADROOM[picture.kind] + rows.length * Math.max(lines * 15 + 9, bars * 19 + 9));
  }

  // text on a coloured cell: whichever of the two inks stands out more
  function inkOn(low, high, ratio, inks) {
    const part = (hex, i) => parseInt(hex.slice(1 + 2 * i, 3 + 2 * i), 16);
    const light = (channel) => (channel <= 0.03928 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4);
    const shine = (rgb) => 0.2126 * light(rgb[0]) + 0.7152 * light(rgb[1]) + 0.0722 * light(rgb[2]);
    const of = (hex) => [0, 1, 2].map((i) => part(hex, i) / 255);
    const ground = shine([0, 1, 2].map((i) => (part(low, i) + (part(high, i) - part(low, i)) * ratio) / 255));
    const contrast = (ink) => (Math.max(ground, shine(of(ink))) + 0.05) / (Math.min(ground, shine(of(ink))) + 0.05);
    return contrast(inks[0]) >= contrast(inks[1]) ? inks[0] : inks[1];
  }

  function pareto(picture, env) {
    const say = formats("share", env);
    const { colours } = env;
    const lines = picture.data.series.map((one) => ({
      type: "line",
      name: one.name[env.language],
      data: one.points,
      showSymbol: false,
      lineStyle: { width: 2.5 },
      emphasis: { disabled: true },
    }));
    const styles = ["solid", "dashed", "dotted"];
    lines.forEach((line, i) => { line.lineStyle.type = styles[i % 3]; });
    lines.push({
      type: "line",
      name: picture.data.even[env.language],
      data: [[0, 0], [1, 1]],
      showSymbol: false,
      lineStyle: { width: 1, type: "dashed", color: colours.grey },
      itemStyle: { color: colours.grey },
      silent: true,
    });
    const fifth = lines[0].data.find((point) => Math.abs(point[0] - 0.2) < 1e-6);
    if (fifth) {
      lines[0].markLine = {
        silent: true,
        symbol: ["none", "circle"],
        symbolSize: 7,
        label: { position: "end", formatter: say.exact(fifth[1]), color: colours.ink, fontWeight: "bold", distance: [6, 8] },
        lineStyle: { color: colours.blue, type: "dotted" },
        data: [[{ coord: [0.2, 0] }, { coord: fifth }]],
      };
    }
    return {
      legend: legend(env),
      grid: { left: 8, right: 16, top: 24, bottom: env.narrow ? 56 : 40, containLabel: true },
      xAxis: valueAxis(env, say, { min: 0, max: 1, splitLine: { show: false } }),
      yAxis: valueAxis(env, say, { min: Math.min(0, ...lines.flatMap((l) => l.data.map((p) => p[1]))) < 0 ? null : 0, max: 1 }),
      tooltip: {
        trigger: "axis",
        formatter: (rows) => [
          say.exact(rows[0].axisValue),
          ...rows.filter((r) => r.seriesIndex < lines.length - 1).map((r) => `${r.seriesName}: ${say.exact(r.data[1])}`),
        ].join("\n"),
      },
      series: lines,
    };
  }

  function sankey(picture, env) {
    const { colours, language } = env;
    const say = formats("count", env);
    const named = new Map(picture.data.nodes.map((node) => [node.id, node]));
    const sums = new Map();
    for (const link of picture.data.links) {
      for (const end of [link.source, link.target]) sums.set(end, (sums.get(end) || 0) + link.value);
    }
    const label = (node) => `${node.name[language]} ${say.short(sums.get(node.id) || 0)}`;
    return {
      tooltip: {
        trigger: "item",
        formatter: (at) => at.dataType === "edge"
          ? `${named.get(at.data.source).name[language]} → ${named.get(at.data.target).name[language]}: ${say.exact(at.data.value)}`
          : `${named.get(at.name).name[language]}: ${say.exact(sums.get(at.name))}`,
      },
      series: [{
        type: "sankey",
        left: 4, right: 4, top: 8, bottom: 8,
        nodeWidth: 14,
        nodeGap: 16,
        layoutIterations: 0,
        draggable: false,
        emphasis: { focus: "adjacency" },
        lineStyle: { color: "source", opacity: 0.32, curveness: 0.5 },
        data: picture.data.nodes.map((node) => ({
          name: node.id,
          itemStyle: { color: colours[CLASS_COLOURS[node.class]], borderWidth: 0 },
          label: {
            position: node.id.startsWith("now:") ? "left" : "right",
            formatter: label(node),
            color: colours.ink,
            textBorderColor: colours.paper,
            textBorderWidth: 3,
            fontSize: env.narrow ? 11 : 12.5,
          },
        })),
        links: picture.data.links,
      }],
    };
  }

  function heat(picture, env) {
    const { colours, language } = env;
    const count = formats("count", env);
    const money = formats("money", env);
    const most = Math.max(1, ...picture.data.cells.map((cell) => cell[2]));
    const inks = ["#10161d", "#ffffff"];
    return {
      grid: { left: 8, right: 8, top: 8, bottom: 8, containLabel: true },
      xAxis: { type: "category", data: picture.data.x.map((n) => n[language]), axisTick: { show: false }, axisLine: { show: false }, axisLabel: { color: colours.ink, interval: 0 } },
      yAxis: { ...nameAxis(env, picture.data.y.map((n) => n[language]), env.narrow ? 54 : 120), axisLine: { show: false } },
      visualMap: { type: "continuous", show: false, min: 0, max: most, dimension: 2, inRange: { color: [colours.heatLow, colours.heatHigh] } },
      tooltip: {
        trigger: "item",
        formatter: (at) => `${picture.data.y[at.data.value[1]][language]} · ${picture.data.x[at.data.value[0]][language]}\n${count.exact(at.data.value[2])}\n${money.exact(at.data.worth)}`,
      },
      series: [{
        type: "heatmap",
        data: picture.data.cells.map((cell) => ({
          value: cell.slice(0, 3),
          worth: cell[3],
          label: { color: inkOn(colours.heatLow, colours.heatHigh, cell[2] / most, inks) },
        })),
        itemStyle: { borderColor: colours.paper, borderWidth: 3, borderRadius: 4, decal: PLAIN },
        label: {
          show: true,
          fontSize: env.narrow ? 11 : 13,
          lineHeight: env.narrow ? 15 : 19,
          formatter: (at) => `${count.short(at.data.value[2])}\n${money.short(at.data.worth)}`,
        },
      }],
    };
  }

  function bars(picture, env) {
    const { colours, language } = env;
    const say = formats(picture.data.format, env);
    const codes = picture.data.codes || [];
    const many = picture.data.series.length > 1;
    const names = picture.data.names.map((n) => n[language]);
    const hues = { ...BAND_COLOURS, ...LIMIT_COLOURS };
    const series = picture.data.series.map((one, i) => ({
      type: "bar",
      name: one.name[language],
      barMaxWidth: 22,
      data: one.values.map((value, at) => ({
        value,
        itemStyle: i === 0 && hues[codes[at]] ? { color: colours[hues[codes[at]]] } : undefined,
      })),
      itemStyle: { borderRadius: [0, 3, 3, 0], color: i === 0 && codes.length ? colours.grey : undefined },
      label: { show: true, position: "right", color: colours.dim, formatter: (at) => say.short(at.value) },
      labelLayout: { hideOverlap: false },
    }));
    if (picture.data.limit !== undefined) {
      series[0].markLine = { silent: true, symbol: "none", label: { show: false }, lineStyle: { color: colours.red, type: "dashed" }, data: [{ xAxis: picture.data.limit }] };
    }
    return {
      legend: many ? legend(env) : undefined,
      grid: { left: 8, right: env.narrow ? 44 : 64, top: 8, bottom: many ? 36 : 4, containLabel: true },
      xAxis: valueAxis(env, say, { splitNumber: env.width < 480 ? 2 : 4, max: picture.data.limit !== undefined ? (v) => Math.max(v.max, picture.data.limit) : null }),
      yAxis: nameAxis(env, names, nameWidth(env, names)),
      tooltip: {
        trigger: "axis",
        axisPointer: { type: "shadow" },
        formatter: (rows) => [rows[0].name, ...rows.map((r) => `${r.seriesName}: ${say.exact(r.value)}`)].join("\n"),
      },
      series,
    };
  }

  // month by month: bars for what was, lines for what it is held against
  function months(picture, env) {
    const { colours, language } = env;
    const say = formats(picture.data.format, env);
    const many = picture.data.series.length > 1;
    const series = picture.data.series.map((one, i) => ({
      type: one.line ? "line" : "bar",
      name: one.name[language],
      data: one.values,
      barMaxWidth: 26,
      connectNulls: false,
      symbol: ["circle", "rect", "triangle", "diamond", "pin"][i % 5],
      symbolSize: 7,
      lineStyle: { width: 2, type: ["solid", "dashed", "dotted"][i % 3] },
      itemStyle: one.line ? undefined : { borderRadius: [3, 3, 0, 0] },
    }));
    if (picture.data.limit !== undefined && series.length) {
      series[0].markLine = { silent: true, symbol: "none", label: { show: false }, lineStyle: { color: colours.grey, type: "dashed" }, data: [{ yAxis: picture.data.limit }] };
    }
    return {
      legend: many ? { ...legend(env), type: "scroll" } : undefined,
      grid: { left: 8, right: 12, top: 12, bottom: many ? 36 : 4, containLabel: true },
      xAxis: { type: "category", data: picture.data.names.map((n) => n[language]), axisTick: { show: false }, axisLine: { lineStyle: { color: colours.line } }, axisLabel: { color: colours.dim, hideOverlap: true } },
      yAxis: valueAxis(env, say, { splitNumber: 3 }),
      tooltip: {
        trigger: "axis",
        formatter: (rows) => [rows[0].name, ...rows.map((r) => `${r.seriesName}: ${say.exact(r.value)}`)].join("\n"),
      },
      series,
    };
  }

  function waterfall(picture, env) {
    const { colours, language } = env;
    const say = formats("count", env);
    const base = picture.data.values[0];
    const names = picture.data.names.map((n) => n[language]);
    return {
      grid: { left: 8, right: 24, top: 8, bottom: 4, containLabel: true },
      xAxis: valueAxis(env, say, { max: base * (env.narrow ? 2.1 : 1.14), axisLabel: { show: false }, splitLine: { show: false } }),
      yAxis: nameAxis(env, names, nameWidth(env, names)),
      tooltip: {
        trigger: "axis",
        axisPointer: { type: "shadow" },
        formatter: (rows) => `${rows[0].name}\n${say.exact(picture.data.values[rows[0].dataIndex])} (${formats("share", env).exact(picture.data.values[rows[0].dataIndex] / base)})`,
      },
      series: [
        { type: "bar", stack: "all", silent: true, data: picture.data.from, itemStyle: { color: "transparent", decal: PLAIN }, barMaxWidth: 20 },
        {
          type: "bar",
          stack: "all",
          barMaxWidth: 20,
          data: picture.data.values.map((value, at) => ({
            value,
            itemStyle: { color: colours[STATE_COLOURS[picture.data.codes[at]] || "grey"], decal: PLAIN },
          })),
          label: {
            show: true,
            position: "right",
            color: colours.dim,
            formatter: (at) => `${say.short(at.value)}  ${formats("share", env).exact(at.value / base)}`,
          },
        },
      ],
    };
  }

  // a line from low to high with a dot on the figure; sideways when `flat`
  function whiskers(env, flat) {
    return (params, api) => {
      const [a, b, dot] = flat
        ? [api.coord([api.value(1), api.value(0)]), api.coord([api.value(2), api.value(0)]), api.coord([api.value(3), api.value(0)])]
        : [api.coord([api.value(0), api.value(1)]), api.coord([api.value(0), api.value(2)]), api.coord([api.value(0), api.value(3)])];
      const style = { stroke: env.colours.blue, lineWidth: 2, fill: "none" };
      const cap = flat ? [0, 5] : [4, 0];
      const line = (x1, y1, x2, y2) => ({ type: "line", shape: { x1, y1, x2, y2 }, style });
      return {
        type: "group",
        children: [
          line(a[0], a[1], b[0], b[1]),
          line(a[0] - cap[0], a[1] - cap[1], a[0] + cap[0], a[1] + cap[1]),
          line(b[0] - cap[0], b[1] - cap[1], b[0] + cap[0], b[1] + cap[1]),
          { type: "circle", shape: { cx: dot[0], cy: dot[1], r: 4.5 }, style: { fill: env.colours.blue } },
        ],
      };
    };
  }

  function calibration(picture, env) {
    const say = formats("share", env);
    const { colours, language } = env;
    const points = picture.data.points;
    const most = Math.max(...points.map((p) => Math.max(p.predicted, p.high ?? p.observed)));
    const words = language === "zh" ? ["预测", "实际", "完全准确"] : ["predicted", "observed", "exactly right"];
    const title = { nameTextStyle: { color: colours.dim }, nameLocation: "middle" };
    return {
      grid: { left: 34, right: 20, top: 12, bottom: 30, containLabel: true },
      xAxis: valueAxis(env, say, { min: 0, max: most, name: words[0], nameGap: 28, ...title }),
      yAxis: valueAxis(env, say, { min: 0, max: most, name: words[1], nameGap: 44, ...title }),
      tooltip: {
        trigger: "item",
        formatter: (at) => {
          const p = points[at.dataIndex];
          return `${words[0]} ${say.exact(p.predicted)}\n${words[1]} ${say.exact(p.observed)} [${say.exact(p.low)}, ${say.exact(p.high)}]`;
        },
      },
      series: [
        { type: "line", name: words[2], data: [[0, 0], [most, most]], showSymbol: false, silent: true, lineStyle: { width: 1, type: "dashed", color: colours.grey }, tooltip: { show: false } },
        {
          type: "custom",
          renderItem: whiskers(env, false),
          data: points.map((p) => [p.predicted, p.low ?? p.observed, p.high ?? p.observed, p.observed]),
          encode: { x: 0, y: [1, 2, 3] },
        },
      ],
    };
  }

  function forest(picture, env) {
    const say = formats(picture.data.format, env);
    const { colours, language } = env;
    const rows = picture.data.rows;
    const names = rows.map((r) => r.name[language]);
    return {
      grid: { left: 8, right: 24, top: 8, bottom: 8, containLabel: true },
      xAxis: valueAxis(env, say, { splitNumber: env.narrow ? 2 : 5 }),
      yAxis: nameAxis(env, names, nameWidth(env, names)),
      tooltip: {
        trigger: "item",
        formatter: (at) => {
          const r = rows[at.dataIndex];
          return `${r.name[language]}\n${say.exact(r.difference)} [${say.exact(r.low)}, ${say.exact(r.high)}]`;
        },
      },
      series: [
        {
          type: "custom",
          renderItem: whiskers(env, true),
          data: rows.map((r, i) => [i, r.low, r.high, r.difference]),
          encode: { y: 0, x: [1, 2, 3] },
          markLine: { silent: true, symbol: "none", label: { show: false }, lineStyle: { color: colours.grey, type: "solid" }, data: [{ xAxis: 0 }] },
        },
      ],
    };
  }

  const KINDS = { pareto, sankey, heat, bars, months, waterfall, calibration, forest };

  function options(picture, env) {
    const base = common(picture, env);
    const own = KINDS[picture.kind](picture, env);
    return { ...base, ...own, tooltip: { ...base.tooltip, ...own.tooltip } };
  }

  return { options, formats, height };
})();
