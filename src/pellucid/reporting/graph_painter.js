
// What a graph's canvas is painted with. Each part takes where it lies, and how all of it looks now:
// colours, the eye, what is open, selected and under the pointer.
function graphPainter(pen, graph, { title, shape, isRepeat }) {
  const cut = new Map();

  function fitted(words, font, width) {
    const key = `${font}|${width}|${words}`;
    if (!cut.has(key)) {
      let text = words;
      if (pen.measureText(text).width > width) {
        let low = 0, high = text.length;
        while (low < high) {
          const middle = (low + high + 1) >> 1;
          if (pen.measureText(`${words.slice(0, middle)}…`).width <= width) low = middle; else high = middle - 1;
        }
        text = `${words.slice(0, low)}…`;
      }
      cut.set(key, text);
    }
    return cut.get(key);
  }
  function write(words, x, y, width, font, colour, align = "center") {
    pen.font = font;
    pen.fillStyle = colour;
    pen.textAlign = align;
    pen.fillText(fitted(words, font, width), x, y);
  }
  function boxPath(x, y, width, height, corner) {
    pen.beginPath();
    pen.roundRect(x, y, width, height, corner);
  }
  const SIGNS = { added: "+", removed: "−", changed: "≠" };
  const markOf = (item) => (graph.marks.length && SIGNS[graph.marks[item]] ? graph.marks[item] : "");

  function drawBox(spot, { colours, eye, selected, hovered }) {
    const { item, x, y, width, height } = spot;
    const kind = graph.kinds[item], mark = markOf(item), isSmall = height < 30;
    const edge = item === selected ? colours.accent : mark ? colours[`mark-${mark}`] : item === hovered ? colours.ink : colours.edge;
    const corner = isSmall ? height / 2 : 5;
    pen.fillStyle = colours[`fill-${kind}`] || colours.card;
    pen.strokeStyle = edge;
    pen.lineWidth = item === selected ? 2.5 : mark ? 2 : 1;
    const places = kind === "repeat" ? [6, 3, 0] : [0];
    for (const step of places) {
      boxPath(x + step, y + step, width, height, corner);
      pen.fill();
      pen.stroke();
    }
    if (eye.scale < 0.3) return;
    const middle = x + width / 2, room = width - (mark ? 34 : 14);
    if (isSmall) {
      const plain = graph.labels[item], more = shape(item);
      write(more ? `${plain}  ${more}` : plain, middle, y + height / 2, room, `11.5px ${colours.font}`, colours.ink);
    } else {
      write(title(item), middle, y + 12.5, room, `600 12px ${colours.font}`, colours.ink);
      const below = graph.times[item] > 1 ? graph.labels[item] : [graph.types[item], shape(item)].filter(Boolean).join("  ");
      write(below, middle, y + 26, width - 10, `10px ${colours.font}`, colours.soft);
      const share = graph.shares ? graph.shares[item] : null;
      if (share !== null) {
        pen.fillStyle = colours.rule;
        pen.fillRect(x + 7, y + height - 5, width - 14, 2);
        pen.fillStyle = colours.meter;
        pen.fillRect(x + 7, y + height - 5, (width - 14) * Math.min(1, share), 2);
      }
    }
    if (mark) write(SIGNS[mark], x + 10, y + 12.5, 12, `700 14px ${colours.font}`, edge);
  }
  function drawFrame(spot, { colours, open, selected, hovered }) {
    const { item, x, y, width, height } = spot;
    const mark = markOf(item);
    boxPath(x, y, width, height, 7);
    pen.fillStyle = colours.frame;
    pen.fill();
    pen.lineWidth = item === selected ? 2.5 : mark ? 2 : 1;
    pen.strokeStyle = item === selected ? colours.accent : mark ? colours[`mark-${mark}`] : item === hovered ? colours.ink : colours.edge;
    pen.setLineDash(isRepeat(item) && open.get(item) !== "all" ? [5, 3] : []);
    pen.stroke();
    pen.setLineDash([]);
  }
  function drawHeading(spot, { colours, eye }) {
    if (eye.scale < 0.3) return;
    const { item, x, y, width } = spot, mark = markOf(item), font = `600 11.5px ${colours.font}`;
    const words = [mark && SIGNS[mark], "▾", title(item), graph.times[item] > 1 ? "" : graph.types[item]].filter(Boolean).join(" ");
    pen.font = font;
    const said = fitted(words, font, width - 18);
    pen.fillStyle = colours.card;
    pen.globalAlpha = 0.82;
    pen.fillRect(x + 6, y + 5, pen.measureText(said).width + 6, 17);
    pen.globalAlpha = 1;
    write(words, x + 9, y + 13.5, width - 18, font, mark ? colours[`mark-${mark}`] : colours.soft, "left");
  }
  const DASHES = { gate: [5, 3] };
  function drawRoute(route, { colours }, isStrong) {
    const { points, kind } = route;
    pen.strokeStyle = isStrong ? colours.accent : colours[`line-${kind}`] || colours["line-data"];
    pen.lineWidth = (kind === "data" ? 1.1 : 1.7) + (isStrong ? 1.2 : 0);
    pen.setLineDash(DASHES[kind] || []);
    pen.beginPath();
    pen.moveTo(...points[0]);
    for (let at = 1; at < points.length; at += 1) {
      const [x0, y0] = points[at - 1], [x1, y1] = points[at], middle = (y0 + y1) / 2;
      if (x0 === x1) pen.lineTo(x1, y1); else pen.bezierCurveTo(x0, middle, x1, middle, x1, y1);
    }
    pen.stroke();
    pen.setLineDash([]);
    if (!route.hasHead) return;
    const [x, y] = points[points.length - 1];
    pen.fillStyle = pen.strokeStyle;
    pen.beginPath();
    pen.moveTo(x, y); pen.lineTo(x - 3.5, y - 6); pen.lineTo(x + 3.5, y - 6);
    pen.fill();
  }

  return { drawBox, drawFrame, drawHeading, drawRoute };
}
