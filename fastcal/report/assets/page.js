"use strict";
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const { operating: sweep, data } = read("facts");
  const grid = sweep.threshold;
  const texts = sweep.threshold_text;
  const last = grid.length - 1;
  const stricter = sweep.higher_is_better ? 1 : -1;
  const nothing = "–";

  // -- numbers as _words.py writes them -------------------------------------------------------------------
  const fixed = (x, n = 3) => {
    if (x === null) return nothing;
    const text = x.toFixed(n);
    return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "\u2212");
  };
  const interval = (low, high, n) => (low === null || high === null ? nothing : `[${fixed(low, n)}, ${fixed(high, n)}]`);
  const whole = (x) => Math.trunc(x).toLocaleString("en-US");
  const percent = (x) => `${fixed(100 * x, 1)} %`;
  const placeOf = new Map(sweep.query_shares.count.map((n, i) => [n, i]));
  const share = (n) => {
    const { low, high, n_queries } = sweep.query_shares;
    const at = placeOf.get(n);
    return `${percent(n / n_queries)} [${fixed(100 * low[at], 1)}, ${fixed(100 * high[at], 1)}]`;
  };

  const readout = (act, escalate) => {
    const at = (name) => sweep[name][act];
    const withAny = at("queries_with_any");
    const reached = sweep.queries_with_any[escalate];
    const n = data.n_queries;
    const found = {};
    const rate = (name, among, what) => {
      found[name] = among === 0 ? nothing : fixed(at(name));
      found[`${name}_interval`] = among === 0 ? nothing : interval(at(`${name}_low`), at(`${name}_high`));
      found[`${name}_n`] = `${whole(at("n_relevant_selected"))} of ${whole(among)} ${what}`;
    };
    rate("precision", at("n_selected"), "selected");
    rate("recall", data.n_relevant, `relevant in the lists (${whole(data.n_relevant_in_qrels)} known)`);
    rate("precision_judged", at("n_judged_selected"), "judged");
    found.f1 = fixed(at("f1"));
    found.f1_interval = interval(at("f1_low"), at("f1_high"));
    found.f1_n = `${whole(at("n_selected"))} selected, ${whole(data.n_relevant)} relevant`;
    found.selected = whole(at("n_selected"));
    found.selected_n = `of ${whole(data.n_pairs)} candidates; ${whole(sweep.n_selected[escalate] - at("n_selected"))} more escalate`;
    found.results = fixed(at("results_median"), 1);
    found.results_n = `median; 90 % of queries up to ${fixed(at("results_p90"), 1)}, most ${whole(at("results_most"))}`;
    const counts = {
      none: n - withAny,
      thousands: at("queries_with_thousands"),
      full: at("queries_with_most"),
      act: withAny,
      escalate: reached - withAny,
      not_found: n - reached,
    };
    for (const [name, count] of Object.entries(counts)) {
      found[name] = whole(count);
      found[`${name}_share`] = share(count);
    }
    return [found, counts];
  };

  // -- charts -----------------------------------------------------------------------------------------------
  const views = {};
  const draw = async (id, spec) => {
    const made = await window.vegaEmbed(document.getElementById(id), spec, {
      mode: "vega-lite", renderer: "svg", actions: false, ast: true, defaultStyle: false, tooltip: false,
    });
    views[id] = made.view;
  };

  // -- the two edges ------------------------------------------------------------------------------------------
  const edges = {
    act: { slider: document.getElementById("act"), box: document.getElementById("act-value"), said: document.getElementById("act-said"), at: sweep.start },
    escalate: { slider: document.getElementById("escalate"), box: document.getElementById("escalate-value"), said: document.getElementById("escalate-said"), at: sweep.escalate_start },
  };
  const nearest = (value) => {
    let low = 0;
    let high = last;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (grid[middle] <= value) low = middle;
      else high = middle;
    }
    return value - grid[low] <= grid[high] - value ? low : high;
  };
  const names = read("result-classes");
  // Where the user wants to escalate from; null: nowhere, so that edge stays at the one to act from.
  const initial = sweep.escalate_start === sweep.start ? null : sweep.escalate_start;
  let wanted = initial;
  const isLaxer = (a, b) => (a - b) * stricter < 0;

  // Said once the sliders rest, so that a drag is one sentence.
  const heard = document.getElementById("told");
  let waiting = 0;
  const announce = (sentence) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { heard.textContent = sentence; }, 700);
  };

  const label = (id, text) => document.getElementById(id).parentElement.setAttribute("aria-label", text);

  const show = () => {
    const [told, counts] = readout(edges.act.at, edges.escalate.at);
    for (const node of document.querySelectorAll("[data-out]")) node.textContent = told[node.dataset.out];
    for (const name of ["act", "escalate", "not_found"]) {
      const part = document.getElementById(`bar-${name}`);
      part.style.flexGrow = String(counts[name]);
      part.hidden = counts[name] === 0;
      part.textContent = counts[name] > 0.15 * data.n_queries ? part.title : "";
    }
    for (const [name, edge] of Object.entries(edges)) {
      edge.slider.value = String(grid[edge.at]);
      edge.box.value = texts[edge.at];
      const said = name === "act"
        ? `precision ${told.precision}, recall ${told.recall}, ${told.selected} selected`
        : `${told.escalate} queries escalate`;
      edge.slider.setAttribute("aria-valuetext", `${texts[edge.at]}: ${said}`);
    }
    const from = `at ${texts[edges.act.at]}`;
    const rates = `precision ${told.precision}, recall ${told.recall}, F1 ${told.f1}`;
    label("chart-rates", `Precision, recall and F1 over the threshold; ${from}: ${rates}.`);
    const few = names.map((results, i) => `${sweep.queries_by_results[edges.act.at][i]} with ${results}`).join(", ");
    label("chart-results", `Number of queries by how many of their results are selected, ${from}: ${few}.`);
    const sentence = `${from}: ${rates}, ${told.selected} selected; queries: ${told.act} act, ${told.escalate} escalate, ${told.not_found} not found.`;
    for (const [id, view] of Object.entries(views)) {
      const signals = view.getState().signals;
      const along = id === "chart-rates" ? grid : sweep.score_edge;
      if ("act" in signals) view.signal("act", along[edges.act.at]).signal("escalate", along[edges.escalate.at]);
    }
    if (views["chart-results"]) {
      views["chart-results"].data("results", names.map((results, i) => ({ results, queries: sweep.queries_by_results[edges.act.at][i] })));
    }
    for (const id of ["chart-rates", "chart-results", "chart-relevant", "chart-irrelevant", "chart-unjudged"]) {
      if (views[id]) views[id].runAsync();
    }
    return sentence;
  };

  // The edge to escalate from is never stricter than the one to act from: the one that is moved pushes the other, and where the one to act
  // from moves back, the other returns to where it was wanted.
  const place = (act) => {
    edges.act.at = act;
    edges.escalate.at = wanted !== null && isLaxer(wanted, act) ? wanted : act;
    announce(show());
  };
  const move = (name, to) => {
    const at = Math.min(Math.max(to, 0), last);
    if (name === "act") return place(at);
    wanted = isLaxer(at, edges.act.at) ? at : null;
    return place(wanted === null ? at : edges.act.at);
  };
  const policy = (act) => {
    wanted = initial;
    place(act);
  };
  const STEPS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 };
  for (const [name, edge] of Object.entries(edges)) {
    edge.slider.addEventListener("input", () => move(name, nearest(Number(edge.slider.value))));
    edge.slider.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      if (event.key in STEPS) move(name, edge.at + STEPS[event.key]);
      else if (event.key === "Home") move(name, 0);
      else if (event.key === "End") move(name, last);
      else return;
      event.preventDefault();
    });
    edge.box.addEventListener("change", () => {
      const value = edge.box.value === "" ? NaN : Number(edge.box.value);
      const written = texts.findIndex((text) => Number(text) === value);
      const inside = written >= 0 || (value >= grid[0] && value <= grid[last]);
      edge.said.textContent = inside ? "" : `from ${texts[0]} to ${texts[last]}`;
      if (Number.isNaN(value)) show();
      else move(name, written >= 0 ? written : nearest(value));
    });
  }
  for (const button of document.querySelectorAll("button[data-at]")) {
    button.addEventListener("click", () => policy(Number(button.dataset.at)));
  }

  // -- light and dark -----------------------------------------------------------------------------------------
  const theme = document.getElementById("theme");
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
  const tell = () => {
    theme.textContent = isDark() ? "Light" : "Dark";
    theme.setAttribute("aria-label", `Switch to ${isDark() ? "light" : "dark"} colours`);
  };
  theme.addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    tell();
  });
  system.addEventListener("change", tell);

  // -- on paper everything is open --------------------------------------------------------------------------------
  const opened = new Set();
  const unfold = () => {
    for (const node of document.querySelectorAll("details:not([open])")) {
      opened.add(node);
      node.open = true;
    }
  };
  const fold = () => {
    for (const node of opened) node.open = false;
    opened.clear();
  };
  window.addEventListener("beforeprint", unfold);
  window.addEventListener("afterprint", fold);
  window.matchMedia("print").addEventListener("change", (event) => (event.matches ? unfold() : fold()));

  document.documentElement.classList.add("scripted");
  tell();
  Promise.all(Object.entries(read("charts")).map(([id, spec]) => draw(id, spec))).then(() => {
    show();
    document.documentElement.dataset.ready = "true";
  });
})();
