// Large matrices: enlarged about the pointer or the chosen cell, with its value read out.
const CELL = 28; // pixels; a cell is enlarged no further
const LEVELS = 127;

function startZoom(box) {
  const record = JSON.parse(box.querySelector(".zoom-data").textContent);
  const [rows, columns] = [record.rows.length, record.columns.length];
  const levels = Int8Array.from(atob(record.levels), (letter) => letter.charCodeAt(0));
  const view = box.querySelector(".zoom-view");
  const picture = view.querySelector(".pic");
  const readout = box.querySelector(".readout");
  const hint = readout.textContent;
  const mark = make("i", { class: "zoom-cell", hidden: "" });
  view.append(mark);
  view.tabIndex = 0;
  box.querySelector(".zoom-bar").hidden = false;
  box.classList.add("live");
  const state = { scale: 1, left: 0, top: 0, cell: null, drag: null };

  const size = () => [view.clientWidth, view.clientHeight];
  const most = () => Math.max(1, CELL * columns / view.clientWidth, CELL * rows / view.clientHeight);

  function place() {
    const [width, height] = size();
    state.left = Math.min(0, Math.max(state.left, width * (1 - state.scale)));
    state.top = Math.min(0, Math.max(state.top, height * (1 - state.scale)));
    picture.style.width = `${width * state.scale}px`;
    picture.style.height = `${height * state.scale}px`;
    picture.style.left = `${state.left}px`;
    picture.style.top = `${state.top}px`;
    view.classList.toggle("enlarged", state.scale > 1);
    placeMark();
  }

  function placeMark() {
    mark.hidden = state.cell === null;
    if (mark.hidden) return;
    const [width, height] = size();
    const [row, column] = state.cell;
    const [wide, high] = [width * state.scale / columns, height * state.scale / rows];
    mark.style.left = `${state.left + column * wide}px`;
    mark.style.top = `${state.top + row * high}px`;
    mark.style.width = `${wide}px`;
    mark.style.height = `${high}px`;
  }

  function enlarge(factor, x, y) {
    const before = state.scale;
    state.scale = Math.min(most(), Math.max(1, before * factor));
    const ratio = state.scale / before;
    state.left = x - (x - state.left) * ratio;
    state.top = y - (y - state.top) * ratio;
    place();
  }

  function choose(row, column) {
    state.cell = [Math.max(0, Math.min(rows - 1, row)), Math.max(0, Math.min(columns - 1, column))];
    const level = levels[state.cell[0] * columns + state.cell[1]] / LEVELS;
    const value = Math.sign(level) * level * level * record.limit;
    const words = value ? `about ${Number(value.toPrecision(2))}` : "0";
    readout.textContent =
      `${record.rows[state.cell[0]]}, ${record.columns[state.cell[1]]}: ${words.replace("-", "−")} ${record.value}`;
    placeMark();
  }

  function cellAt(event) {
    const frame = view.getBoundingClientRect();
    const [width, height] = size();
    const [x, y] = [event.clientX - frame.left - view.clientLeft, event.clientY - frame.top - view.clientTop];
    const row = Math.floor((y - state.top) / (height * state.scale) * rows);
    const column = Math.floor((x - state.left) / (width * state.scale) * columns);
    return { x, y, row, column };
  }

  function middle() {
    const [width, height] = size();
    if (state.cell === null) return [width / 2, height / 2];
    const [row, column] = state.cell;
    return [
      state.left + (column + 0.5) * width * state.scale / columns,
      state.top + (row + 0.5) * height * state.scale / rows,
    ];
  }

  function bringIntoView() {
    const [width, height] = size();
    const [x, y] = middle();
    const room = CELL / 2;
    if (x < room) state.left += room - x;
    if (x > width - room) state.left -= x - (width - room);
    if (y < room) state.top += room - y;
    if (y > height - room) state.top -= y - (height - room);
    place();
  }

  view.addEventListener("pointermove", (event) => {
    if (state.drag) {
      state.drag.moved ||= Math.hypot(event.clientX - state.drag.x, event.clientY - state.drag.y) > 4;
      state.left = state.drag.left + event.clientX - state.drag.x;
      state.top = state.drag.top + event.clientY - state.drag.y;
      place();
      return;
    }
    const { row, column } = cellAt(event);
    choose(row, column);
  });
  view.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    view.focus({ preventScroll: true });
    view.setPointerCapture(event.pointerId);
    state.drag = { x: event.clientX, y: event.clientY, left: state.left, top: state.top, moved: false };
  });
  view.addEventListener("pointerup", (event) => {
    const dragged = state.drag && state.drag.moved;
    const began = state.drag;
    state.drag = null;
    if (!began || dragged) return;
    const { x, y, row, column } = cellAt(event);
    choose(row, column);
    enlarge(event.shiftKey ? 0.5 : 2, x, y);
  });
  view.addEventListener("pointercancel", () => { state.drag = null; });
  view.addEventListener("pointerleave", () => {
    if (state.drag || document.activeElement === view) return;
    state.cell = null;
    readout.textContent = hint;
    placeMark();
  });
  view.addEventListener("wheel", (event) => {
    // An unchosen matrix lets the page scroll past it.
    if (document.activeElement !== view && !event.ctrlKey) return;
    event.preventDefault();
    const { x, y } = cellAt(event);
    enlarge(2 ** (-event.deltaY / 240), x, y);
  }, { passive: false });
  view.addEventListener("keydown", (event) => {
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    const act = { "+": "in", "=": "in", "-": "out", "−": "out", 0: "all" }[event.key];
    if (!step && !act) return;
    event.preventDefault();
    if (act) return change(act);
    const [row, column] = state.cell ?? [0, -1];
    choose(row + step[0], column + step[1]);
    bringIntoView();
  });

  function change(what) {
    if (what === "all") state.scale = 1;
    enlarge({ in: 2, out: 0.5, all: 1 }[what], ...middle());
  }
  all("[data-zoom]", box).forEach((button) =>
    button.addEventListener("click", () => change(button.dataset.zoom)));
  addEventListener("resize", () => {
    state.scale = Math.min(state.scale, most());
    place();
  });
  place();
}

addEventListener("DOMContentLoaded", () => all(".zoom").forEach(startZoom));
