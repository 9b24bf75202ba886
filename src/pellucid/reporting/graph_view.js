
// A graph on the page: a canvas that is panned, zoomed, searched and opened group by group.
function startGraph(root) {
  const graph = unpacked(JSON.parse(root.querySelector(".graph-data").textContent));
  const h = graphs.hierarchyOf(graph), count = graph.labels.length;
  const find = (selector) => root.querySelector(selector);
  const canvas = find("canvas"), panel = find(".graph-panel"), search = find("input"), found = find(".graph-found");
  const pen = canvas.getContext("2d");
  const open = new Map(graph.opened.map((item) => [item, "one"]));
  const kept = new Map();
  const eye = { x: 0, y: 0, scale: 1 };
  let drawing, spots, colours, selected = -1, hovered = -1, asked = 0;

  function unpacked(record) {
    const words = ({ words: known, at }) => at.map((place) => known[place]);
    return {
      ...record, labels: words(record.labels), types: words(record.types), kinds: words(record.kinds),
      edge_kinds: words(record.edge_kinds), marks: words(record.marks),
      details: record.details.map(([name, values]) => [name, words(values)]),
    };
  }

  const isGroup = (item) => item >= 0 && h.children[item].length > 0;
  const isRepeat = (item) => item >= 0 && graph.kinds[item] === "repeat";
  const title = (item) => {
    const times = graph.times[item];
    return times > 1 ? `${graph.types[item] || graph.labels[item]} ×${times}` : graph.labels[item];
  };
  const detail = (item, name) => (graph.details.find(([known]) => known === name) || [0, []])[1][item] || "";
  const shape = (item) => detail(item, "output shape").replaceAll(" × ", "×");
  const painter = graphPainter(pen, graph, { title, shape, isRepeat });

  // Layout, and where the eye is.
  function relayout() {
    drawing = graphs.layOut(h, open, kept);
    spots = new Map(drawing.spots.map((spot) => [spot.item, spot]));
  }
  function forget(item) {
    for (let at = item; at !== h.root; at = h.parents[at]) kept.delete(at);
    kept.delete(h.root);
  }
  function change(item, how) {
    if (how) open.set(item, how); else open.delete(item);
    forget(item);
  }
  function keepInPlace(item, act) {
    const before = spots.get(item);
    act();
    relayout();
    const after = spots.get(item);
    if (before && after) {
      eye.x += after.x + after.width / 2 - before.x - before.width / 2;
      eye.y += after.y - before.y;
    }
  }
  function toggle(item, how = open.has(item) ? "" : "one") {
    if (!isGroup(item)) return;
    const started = performance.now();
    keepInPlace(item, () => change(item, how));
    draw();
    root.dataset.milliseconds = (performance.now() - started).toFixed(1);
    tell();
  }
  function openAll(item) {
    const started = performance.now();
    keepInPlace(item, () => {
      const inside = item < 0 ? h.children[h.root].slice() : [item];
      while (inside.length) {
        const at = inside.pop();
        if (!isGroup(at)) continue;
        if (!open.has(at)) open.set(at, "one");
        inside.push(...h.children[at]);
      }
      kept.clear();
    });
    draw();
    root.dataset.milliseconds = (performance.now() - started).toFixed(1);
    tell();
  }
  function zoom(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
    const scale = Math.max(0.05, Math.min(3, eye.scale * factor));
    eye.x += x / eye.scale - x / scale;
    eye.y += y / eye.scale - y / scale;
    eye.scale = scale;
    later();
  }
  function fit(least = 0.05) {
    const wide = canvas.clientWidth, high = canvas.clientHeight;
    eye.scale = Math.max(least, Math.min(1.15, (wide - 16) / drawing.width, (high - 16) / drawing.height));
    eye.x = (drawing.width - wide / eye.scale) / 2;
    eye.y = Math.min(0, (drawing.height - high / eye.scale) / 2);
    later();
  }
  function show(item) {
    const spot = spots.get(item);
    if (!spot) return;
    const wide = canvas.clientWidth / eye.scale, high = canvas.clientHeight / eye.scale;
    const left = spot.x - eye.x, top = spot.y - eye.y;
    if (left < 10 || left + Math.min(spot.width, wide - 20) > wide - 10) eye.x = spot.x + spot.width / 2 - wide / 2;
    if (top < 10 || top + Math.min(spot.height, high - 20) > high - 10) eye.y = spot.y + Math.min(spot.height, high) / 2 - high / 2;
  }
  function select(item) {
    selected = item;
    show(item);
    later();
    tell();
  }
  // Opens what is around an item; of several groups built alike all, if it is not in the first.
  function reveal(item) {
    let shown = item;
    for (let at = item, parent = h.parents[at]; parent !== h.root; at = parent, parent = h.parents[at]) {
      if (isRepeat(parent) && at !== h.children[parent][0]) open.set(parent, "all");
      else if (!open.has(parent)) open.set(parent, "one");
    }
    kept.clear();
    relayout();
    while (!spots.has(shown) && h.parents[shown] !== h.root) shown = h.parents[shown];
    eye.scale = Math.max(eye.scale, 0.8);
    select(shown);
  }

  // Drawing.
  function readColours() {
    const style = getComputedStyle(root);
    const names = ["ink", "soft", "rule", "edge", "accent", "card", "ground", "fill-group", "fill-layer", "fill-operator",
      "fill-attention", "fill-residual", "fill-join", "fill-gate", "fill-input", "line-data", "line-residual",
      "line-skip", "line-gate", "frame", "mark-added", "mark-removed", "mark-changed", "meter"];
    colours = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
    colours["fill-repeat"] = colours["fill-group"];
    colours["fill-output"] = colours["fill-input"];
    colours.font = style.fontFamily;
  }
  function draw() {
    const ratio = devicePixelRatio || 1, wide = canvas.clientWidth, high = canvas.clientHeight;
    if (canvas.width !== Math.round(wide * ratio) || canvas.height !== Math.round(high * ratio)) {
      canvas.width = Math.round(wide * ratio);
      canvas.height = Math.round(high * ratio);
    }
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, wide, high);
    pen.setTransform(ratio * eye.scale, 0, 0, ratio * eye.scale, -eye.x * ratio * eye.scale, -eye.y * ratio * eye.scale);
    pen.textBaseline = "middle";
    const left = eye.x - 20, top = eye.y - 20, right = eye.x + wide / eye.scale + 20, bottom = eye.y + high / eye.scale + 20;
    const inView = drawing.spots.filter((s) => s.x < right && s.x + s.width > left && s.y < bottom && s.y + s.height > top);
    const frames = inView.filter((spot) => spot.isOpen);
    const look = { colours, eye, open, selected, hovered };
    frames.forEach((spot) => painter.drawFrame(spot, look));
    const strong = [];
    for (const route of drawing.routes) {
      const { points } = route;
      if (points[0][1] > bottom || points[points.length - 1][1] < top) continue;
      if (selected >= 0 && (route.from === selected || route.to === selected)) strong.push(route); else painter.drawRoute(route, look, false);
    }
    strong.forEach((route) => painter.drawRoute(route, look, true));
    frames.forEach((spot) => painter.drawHeading(spot, look));
    inView.forEach((spot) => { if (!spot.isOpen) painter.drawBox(spot, look); });
  }
  function later() {
    if (!asked) asked = requestAnimationFrame(() => { asked = 0; draw(); });
  }

  // Words on what is selected.
  function button(words, act) {
    const made = make("button", { type: "button", class: "graph-act" }, words);
    made.addEventListener("click", act);
    return made;
  }
  function near(words, items) {
    if (!items.length) return [];
    const list = make("ul", { class: "graph-near" }, ...items.slice(0, 6).map((item) => make("li", {}, button(title(item), () => reveal(item)))));
    if (items.length > 6) list.append(make("li", { class: "note" }, `and ${items.length - 6} more`));
    return [make("h5", {}, words), list];
  }
  function tell() {
    const item = selected;
    if (item < 0) {
      panel.replaceChildren(make("p", { class: "note" }, panel.dataset.hint), button("Open everything", () => openAll(-1)));
      return;
    }
    const rows = graph.details.map(([name, values]) => [name, values[item]]).filter(([, value]) => value);
    panel.replaceChildren(
      make("h4", {}, title(item)),
      make("p", { class: "note" }, [graph.times[item] > 1 ? graph.labels[item] : graph.types[item], graph.kinds[item] === "attention" ? "attention" : ""].filter(Boolean).join(" · ")),
      make("dl", {}, ...rows.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)])),
    );
    if (isGroup(item)) {
      panel.append(button(open.has(item) ? "Close" : "Open", () => toggle(item)), button("Open all in this group", () => openAll(item)));
      if (isRepeat(item)) {
        const all_ = open.get(item) === "all";
        panel.append(button(all_ ? "Show one of them" : `Show all ${graph.times[item]}`, () => toggle(item, all_ ? "one" : "all")));
      }
    } else {
      const inner = h.parents[item];
      panel.append(...near("takes", graph.sources.filter((_, edge) => graph.targets[edge] === item)));
      panel.append(...near("goes to", graph.targets.filter((_, edge) => graph.sources[edge] === item)));
      if (inner !== h.root) panel.append(button("Close its group", () => { select(visible(inner)); toggle(selected, ""); }));
    }
  }
  function visible(item) {
    let at = item;
    while (at !== h.root && !spots.has(at)) at = h.parents[at];
    return at === h.root ? -1 : at;
  }

  // Mouse, keyboard, search.
  function at(event) {
    const box = canvas.getBoundingClientRect();
    const x = (event.clientX - box.left) / eye.scale + eye.x, y = (event.clientY - box.top) / eye.scale + eye.y;
    const spot = drawing.spots.findLast((s) => x >= s.x && x <= s.x + s.width && y >= s.y && y <= s.y + s.height);
    return spot ? spot.item : -1;
  }
  function startMouse() {
    let held = null;
    canvas.addEventListener("pointerdown", (event) => {
      held = { x: event.clientX, y: event.clientY, moved: false, id: event.pointerId };
    });
    canvas.addEventListener("pointermove", (event) => {
      if (held && event.buttons) {
        const across = event.clientX - held.x, down = event.clientY - held.y;
        if (!held.moved && Math.hypot(across, down) < 4) return;
        if (!held.moved) canvas.setPointerCapture(held.id);
        Object.assign(held, { x: event.clientX, y: event.clientY, moved: true });
        eye.x -= across / eye.scale;
        eye.y -= down / eye.scale;
        later();
        return;
      }
      const item = at(event);
      if (item !== hovered) {
        hovered = item;
        canvas.style.cursor = item >= 0 ? "pointer" : "grab";
        canvas.title = item >= 0 ? [title(item), graph.types[item], detail(item, "output shape")].filter(Boolean).join(" · ") : "";
        later();
      }
    });
    canvas.addEventListener("pointerup", (event) => {
      const isClick = held && !held.moved;
      held = null;
      if (!isClick) return;
      const item = at(event);
      selected = item;
      if (isGroup(item)) toggle(item); else { later(); tell(); }
    });
    canvas.addEventListener("pointercancel", () => { held = null; });
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && document.activeElement !== canvas) return;
      event.preventDefault();
      const box = canvas.getBoundingClientRect();
      zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), event.clientX - box.left, event.clientY - box.top);
    }, { passive: false });
  }
  function nearest(across, down) {
    const from = spots.get(selected);
    if (!from) return drawing.spots.length ? drawing.spots[0].item : -1;
    const middle = (s) => [s.x + s.width / 2, s.y + (s.isOpen ? 12 : s.height / 2)];
    const [x, y] = middle(from);
    let best = -1, least = Infinity;
    for (const spot of drawing.spots) {
      const [cx, cy] = middle(spot), along = (cx - x) * across + (cy - y) * down;
      const aside = Math.abs((cx - x) * down) + Math.abs((cy - y) * across);
      if (spot.item !== selected && along > 1 && along + 2.5 * aside < least) { least = along + 2.5 * aside; best = spot.item; }
    }
    return best < 0 ? selected : best;
  }
  function startKeys() {
    const steps = { ArrowDown: [0, 1], ArrowUp: [0, -1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
    const acts = {
      Enter: () => toggle(selected), " ": () => toggle(selected), "+": () => zoom(1.25), "=": () => zoom(1.25),
      "-": () => zoom(0.8), 0: () => fit(), Escape: () => select(selected < 0 ? -1 : visible(h.parents[selected])),
    };
    canvas.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const step = steps[event.key], act = acts[event.key];
      if (!step && !act) return;
      event.preventDefault();
      if (step) select(nearest(...step)); else act();
    });
  }
  function startSearch() {
    const names = graph.labels.map((label, item) => `${detail(item, "module")} ${label} ${graph.types[item]}`.toLowerCase());
    search.addEventListener("input", () => {
      const words = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
      const hits = [];
      for (let item = 0; words.length && item < count; item += 1) if (words.every((word) => names[item].includes(word))) hits.push(item);
      found.replaceChildren(...hits.slice(0, 8).map((item) => make("li", {}, button(`${title(item)} · ${detail(item, "module")}`, () => reveal(item)))));
      if (words.length) found.append(make("li", { class: "note" }, hits.length > 8 ? `${hits.length} found` : hits.length ? "" : "nothing found"));
    });
    search.addEventListener("keydown", (event) => {
      const first = found.querySelector("button");
      if (event.key === "Enter" && first) { event.preventDefault(); first.click(); }
    });
  }
  function startBar() {
    const acts = { in: () => zoom(1.25), out: () => zoom(0.8), fit: () => fit(), close: () => {
      keepInPlace(-1, () => { open.clear(); kept.clear(); });
      selected = -1;
      fit(0.5);
      tell();
    }, all: () => { openAll(-1); } };
    all("[data-do]", root).forEach((each) => each.addEventListener("click", acts[each.dataset.do]));
  }

  const started = performance.now();
  all("[hidden]", root).forEach((each) => { each.hidden = false; });
  find(".graph-list").open = false;
  readColours();
  relayout();
  fit(0.62);
  draw();
  root.dataset.milliseconds = (performance.now() - started).toFixed(1);
  startMouse(); startKeys(); startSearch(); startBar(); tell();
  new ResizeObserver(later).observe(canvas);
  const recolour = () => { readColours(); later(); };
  new MutationObserver(recolour).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
  addEventListener("beforeprint", draw);
}

addEventListener("DOMContentLoaded", () => all(".graph").forEach(startGraph));
