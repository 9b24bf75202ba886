"use strict";

// The choice of light or dark lasts; a page in a sandbox has nowhere to keep it.
const theme = {
  read() {
    try { return localStorage.getItem("pellucid-theme"); } catch (error) { return null; }
  },
  keep(value) {
    try { localStorage.setItem("pellucid-theme", value); } catch (error) { /* not kept */ }
  },
  isDark() {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  },
};
const kept = theme.read();
if (kept === "dark" || kept === "light") document.documentElement.dataset.theme = kept;

const all = (selector, root = document) => [...root.querySelectorAll(selector)];

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function startTheme() {
  const button = document.querySelector(".theme");
  const name = () => {
    button.textContent = theme.isDark() ? "Light" : "Dark";
    button.setAttribute("aria-label", `Show this page ${theme.isDark() ? "light" : "dark"}`);
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    const chosen = theme.isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = chosen;
    theme.keep(chosen);
    name();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", name);
  name();
}

// Of longer contents only the section that is being read is unfolded.
const MOST_UNFOLDED = 30;

function startContents() {
  const details = document.querySelector(".contents details");
  const narrow = matchMedia("(max-width: 68rem)");
  const fit = () => { details.open = !narrow.matches; };
  narrow.addEventListener("change", fit);
  fit();
  const links = new Map(all(".contents a").map((link) => [link.hash.slice(1), link]));
  const targets = [...links.keys()].map((id) => document.getElementById(id)).filter(Boolean);
  const sections = all(".contents .of-section");
  document.querySelector(".contents").classList.toggle("long", links.size > MOST_UNFOLDED);
  const follow = () => {
    const tops = targets.map((target) => Math.round(target.getBoundingClientRect().top));
    const last = tops.findLastIndex((top) => top < innerHeight * 0.3);
    const here = last < 0 ? null : targets[tops.indexOf(tops[last])].id;
    for (const [id, link] of links) link.classList.toggle("here", id === here);
    for (const item of sections) item.classList.toggle("open", item.querySelector(".here") !== null);
  };
  addEventListener("scroll", follow, { passive: true });
  follow();
}

function startSorting(table) {
  const heads = all("th", table);
  const body = table.tBodies[0];
  const key = (row, column) => {
    const cell = row.cells[column];
    if (!("value" in cell.dataset)) return cell.textContent;
    return cell.dataset.value === "" ? null : Number(cell.dataset.value);
  };
  const compare = (a, b) => (typeof a === "number" ? a - b : a.localeCompare(b, undefined, { numeric: true }));
  heads.forEach((head, column) => head.firstElementChild.addEventListener("click", () => {
    const numeric = head.classList.contains("number");
    const before = head.getAttribute("aria-sort");
    const down = before === "none" ? numeric : before === "ascending";
    heads.forEach((other) => other.setAttribute("aria-sort", "none"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const rows = [...body.rows].map((row) => [key(row, column), row]);
    rows.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      return down ? compare(b, a) : compare(a, b);
    });
    body.append(...rows.map(([, row]) => row));
  }));
}

function sampleTile(id, sample) {
  const picture = make("span", {
    class: `pic ${sample.picture}`, role: "img", "aria-label": sample.label || id,
  });
  picture.style.setProperty("--ratio", sample.ratio);
  const tile = make("li", { title: id }, picture, make("span", { class: "label" }, sample.label || id));
  if (sample.explanation) tile.append(make("a", { class: "why", href: `#${sample.explanation}` }, "Why?"));
  return tile;
}

function sampleName(id, sample) {
  const item = make("li", {}, id);
  if (sample && sample.explanation) {
    item.append(" ", make("a", { href: `#${sample.explanation}` }, "Why?"));
  }
  return item;
}

function fillMembers(panel, record, samples, cell, total) {
  const [row, column] = cell.split(",").map(Number);
  const ids = record.cells[cell];
  const seen = ids.filter((id) => samples[id] && samples[id].picture);
  const others = ids.filter((id) => !seen.includes(id));
  const count = Math.max(total, ids.length);
  const title = `${record.row}: ${record.rows[row]} · ${record.column}: ${record.columns[column]}`;
  const shown = seen.length === count
    ? `${count} ${count === 1 ? "sample" : "samples"}`
    : `${count} ${count === 1 ? "sample" : "samples"}, ${seen.length} of ${count} shown as pictures`;
  panel.replaceChildren(make("h4", {}, title), make("p", { class: "note" }, shown));
  if (seen.length) panel.append(make("ul", { class: "grid" }, ...seen.map((id) => sampleTile(id, samples[id]))));
  if (others.length) {
    panel.append(make("ul", { class: "ids" }, ...others.map((id) => sampleName(id, samples[id]))));
    const missing = count - ids.length;
    if (missing > 0) panel.append(make("p", { class: "note" }, `and ${missing} more`));
  }
}

function startChooser(chooser, samples) {
  const record = JSON.parse(chooser.querySelector(".cells").textContent);
  const panel = chooser.querySelector(".members");
  const cells = new Map(all("[data-cell]", chooser).map((button) => [button.dataset.cell, button]));
  const matrix = chooser.querySelector(".matrix");
  const buttons = [...cells.values()];
  if (matrix) buttons.forEach((button, index) => { button.tabIndex = index ? -1 : 0; });
  for (const [cell, button] of cells) {
    button.addEventListener("click", () => {
      buttons.forEach((other) => other.setAttribute("aria-pressed", other === button));
      fillMembers(panel, record, samples, cell, Number(button.dataset.count));
    });
    if (matrix) button.addEventListener("keydown", (event) => moveTo(event, cell));
  }
  function moveTo(event, cell) {
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (!step) return;
    event.preventDefault();
    let [row, column] = cell.split(",").map(Number);
    const inside = () => row >= 0 && column >= 0 && row < record.rows.length && column < record.columns.length;
    for (row += step[0], column += step[1]; inside(); row += step[0], column += step[1]) {
      const next = cells.get(`${row},${column}`);
      if (!next) continue;
      buttons.forEach((button) => { button.tabIndex = -1; });
      next.tabIndex = 0;
      next.focus();
      return;
    }
  }
}

function startChart(chart) {
  const { x, reach, series } = JSON.parse(chart.dataset.points);
  const width = chart.viewBox.baseVal.width;
  const drawn = series.filter(([, , points]) => points.length);
  if (!drawn.length) return;
  const places = [...new Set(drawn.flatMap(([, , points]) => points.map(([left]) => left)))].sort((a, b) => a - b);
  const tip = make("div", { class: "tip", role: "status", hidden: "" });
  const shape = (tag, attributes) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    return node;
  };
  const marks = shape("g", {});
  chart.append(marks);
  chart.parentElement.style.position = "relative";
  chart.parentElement.append(tip);
  let current = 0;

  function show(index) {
    current = Math.max(0, Math.min(index, places.length - 1));
    const place = places[current];
    const near = drawn.map(([name, look, points]) => [name, look, points.reduce((best, point) =>
      (Math.abs(point[0] - place) < Math.abs(best[0] - place) ? point : best))]);
    const hit = near.filter(([, , point]) => Math.abs(point[0] - place) < 4);
    marks.replaceChildren(shape("path", { class: "cursor", d: `M${place} ${reach[1]}V${reach[0]}` }));
    tip.replaceChildren(make("b", {}, `${x} ${hit[0][2][2]}`));
    for (const [name, look, point] of hit) {
      const dot = shape("g", { class: look });
      dot.append(shape("circle", { class: "mark", cx: point[0], cy: point[1], r: 4 }));
      marks.append(dot);
      tip.append(make("span", { class: look }, `${name}: ${point[3]}`));
    }
    tip.hidden = false;
    const box = chart.getBoundingClientRect();
    const outer = chart.parentElement.getBoundingClientRect();
    const left = box.left - outer.left + (place / width) * box.width;
    const flip = left + tip.offsetWidth + 16 > outer.width;
    tip.style.left = `${Math.max(0, flip ? left - tip.offsetWidth - 12 : left + 12)}px`;
    tip.style.top = `${box.top - outer.top + 0.12 * box.height}px`;
  }
  function hide() {
    tip.hidden = true;
    marks.replaceChildren();
  }
  const nearest = (clientX) => {
    const box = chart.getBoundingClientRect();
    const place = ((clientX - box.left) / box.width) * width;
    return places.reduce((best, at, index) => (Math.abs(at - place) < Math.abs(places[best] - place) ? index : best), 0);
  };
  chart.addEventListener("pointermove", (event) => show(nearest(event.clientX)));
  chart.addEventListener("pointerleave", hide);
  chart.addEventListener("blur", hide);
  chart.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) {
      event.preventDefault();
      show(tip.hidden ? current : current + step);
    } else if (event.key === "Escape") hide();
  });
}

function startStrength() {
  const sliders = all(".strength input");
  sliders.forEach((slider) => slider.addEventListener("input", () => {
    document.documentElement.style.setProperty("--opacity", slider.value / 100);
    sliders.forEach((other) => { other.value = slider.value; });
  }));
}

addEventListener("DOMContentLoaded", () => {
  const samples = JSON.parse(document.getElementById("samples").textContent);
  startTheme();
  startContents();
  all("table.sortable").forEach(startSorting);
  all(".chooser").forEach((chooser) => startChooser(chooser, samples));
  all("[data-points]").forEach(startChart);
  startStrength();
});

addEventListener("beforeprint", () => all("details").forEach((details) => { details.open = true; }));
