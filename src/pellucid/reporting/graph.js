
// Graphs in groups. The layout is that of pellucid/views/layered, function by function: pure, and
// only for what is open. A test holds the two together.
const graphs = (() => {
  const WIDTH = 148, HEIGHT = 40, SMALL = 26, PAD = 14, HEAD = 26, MOST_PORTS = 8;
  const GAP_X = 22, GAP_LINE = 12, GAP_Y = 20, LONGEST = 250, SWEEPS = 4, FAINT = 0.02;
  const PLAIN = new Set(["operator", "residual", "join", "gate", "input", "output"]);
  const lists = (count) => Array.from({ length: count }, () => []);

  // Sorts items and edges into groups; the last entry of each list is the graph as a whole.
  function hierarchyOf(graph) {
    const root = graph.labels.length;
    const parents = graph.parents.map((parent) => (parent < 0 ? root : parent));
    const depths = [...new Array(root).fill(0), -1];
    const found = {
      root, parents, kinds: graph.kinds, children: lists(root + 1), inner: lists(root + 1),
      entering: lists(root + 1), leaving: lists(root + 1),
    };
    parents.forEach((parent, item) => {
      depths[item] = depths[parent] + 1;
      found.children[parent].push(item);
    });
    graph.sources.forEach((source, edge) => {
      const kind = graph.edge_kinds[edge];
      let start = source, end = graph.targets[edge];
      while (parents[start] !== parents[end]) {
        if (depths[start] >= depths[end]) {
          found.leaving[parents[start]].push({ child: start, source, kind });
          start = parents[start];
        } else {
          found.entering[parents[end]].push({ child: end, source, kind });
          end = parents[end];
        }
      }
      if (start !== end) found.inner[parents[start]].push({ start, end, source, kind });
    });
    return found;
  }

  const isFolded = (h, item) => item !== h.root && h.kinds[item] === "repeat";
  // Of several groups built alike the first is shown, unless all are asked for.
  const shownOf = (h, item, open) => (isFolded(h, item) && open.get(item) !== "all" ? h.children[item][0] : item);

  function counterpart(h, item, source, open) {
    if (!isFolded(h, item) || open.get(item) === "all") return source;
    let twin = source;
    while (h.parents[twin] !== item && h.parents[twin] !== h.root) twin = h.parents[twin];
    return h.parents[twin] === item ? source - twin + h.children[item][0] : source;
  }

  // Least squares in order: places near what is wanted, at least so far apart.
  function fitApart(wanted, apart, weights) {
    const means = [], heavy = [], lengths = [], offsets = [0];
    for (const gap of apart) offsets.push(offsets[offsets.length - 1] + gap);
    wanted.forEach((want, place) => {
      let mean = want - offsets[place], weight = weights[place], length = 1;
      while (means.length && means[means.length - 1] > mean) {
        const total = heavy[heavy.length - 1] + weight;
        mean = (means.pop() * heavy.pop() + mean * weight) / total;
        weight = total;
        length += lengths.pop();
      }
      means.push(mean); heavy.push(weight); lengths.push(length);
    });
    const fitted = [];
    means.forEach((mean, block) => {
      for (let count = 0; count < lengths[block]; count += 1) fitted.push(mean + offsets[fitted.length]);
    });
    return fitted;
  }

  const TOP = 0, FREE = 1, BOTTOM = 2;

  function ranksOf(net) {
    const first = net.layers.includes(TOP) ? 1 : 0;
    const ranks = net.layers.map((layer) => (layer === TOP ? 0 : first));
    const taken = new Set(net.links.map((link) => link.end));
    const following = new Map();
    for (const link of [...net.links].sort((a, b) => a.end - b.end)) {
      ranks[link.end] = Math.max(ranks[link.end], ranks[link.start] + 1);
      if (!following.has(link.start)) following.set(link.start, []);
      following.get(link.start).push(link.end);
    }
    for (let node = ranks.length - 1; node >= 0; node -= 1) {
      if (net.layers[node] === FREE && !taken.has(node) && following.has(node)) {
        ranks[node] = Math.min(...following.get(node).map((end) => ranks[end])) - 1;
      }
    }
    let last = -1;
    ranks.forEach((rank, node) => { if (net.layers[node] !== BOTTOM) last = Math.max(last, rank); });
    return ranks.map((rank, node) => (net.layers[node] === BOTTOM ? last + 1 : rank));
  }

  // The nodes, and a thin one wherever a link crosses a layer.
  function chainedOf(net, ranks) {
    const made = {
      widths: [...net.widths], ranks: [...ranks],
      weights: net.layers.map((layer) => (layer === FREE ? 50 : 1)),
      above: lists(ranks.length), below: lists(ranks.length),
    };
    const joined = new Map();
    for (const { end, kind } of net.links) if (kind === "skip") joined.set(end, (joined.get(end) || 0) + 1);
    const pullOf = ({ end, kind }) => (kind === "skip" ? 1 / joined.get(end) : kind === "data" ? 1 : FAINT);
    made.chains = net.links.map((link) => {
      const first = ranks[link.start], last = ranks[link.end];
      const isData = link.kind === "data", pull = pullOf(link), chain = [];
      if (last - first - 1 <= LONGEST) {
        for (let rank = first + 1; rank < last; rank += 1) {
          chain.push(made.widths.length);
          made.widths.push(0); made.ranks.push(rank); made.weights.push(isData ? 2 : 1);
          made.above.push([]); made.below.push([]);
        }
      }
      const way = [link.start, ...chain, link.end];
      for (let place = 0; place + 1 < way.length; place += 1) {
        const out = place === 0 ? link.out : 0, into = place === way.length - 2 ? link.into : 0;
        made.above[way[place + 1]].push([way[place], out - into, pull]);
        made.below[way[place]].push([way[place + 1], into - out, pull]);
      }
      return chain;
    });
    return made;
  }

  function orderOf(chained) {
    const order = lists(chained.ranks.reduce((most, rank) => Math.max(most, rank), -1) + 1);
    chained.ranks.forEach((rank, node) => order[rank].push(node));
    const place = new Array(chained.ranks.length).fill(0);
    const number = (layer) => layer.forEach((node, at) => { place[node] = at; });
    order.forEach(number);
    for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
      const near = sweep % 2 ? chained.below : chained.above;
      for (const layer of sweep % 2 ? [...order].reverse() : order) {
        const key = new Map(layer.map((node) => [node, near[node].length
          ? near[node].reduce((sum, [other]) => sum + place[other], 0) / near[node].length : place[node]]));
        layer.sort((a, b) => key.get(a) - key.get(b));
        number(layer);
      }
    }
    return order;
  }

  function placesOf(chained, order) {
    const x = new Array(chained.widths.length).fill(0);
    const wanted = (near, own) => {
      let total = 0, sum = 0;
      for (const [node, shift, pull] of near) { total += pull; sum += (x[node] + shift) * pull; }
      return total ? sum / total : own;
    };
    const settle = (layer, want) => {
      const apart = layer.slice(1).map((node, at) => {
        const one = chained.widths[layer[at]], other = chained.widths[node];
        return (one + other) / 2 + (one && other ? GAP_X : GAP_LINE);
      });
      const fitted = fitApart(want, apart, layer.map((node) => chained.weights[node]));
      layer.forEach((node, at) => { x[node] = fitted[at]; });
    };
    for (const layer of order) settle(layer, layer.map(() => 0));
    for (let sweep = 0; sweep < 2 * SWEEPS; sweep += 1) {
      const near = sweep % 2 ? chained.below : chained.above;
      for (const layer of sweep % 2 ? [...order].reverse() : order) {
        settle(layer, layer.map((node) => wanted(near[node], x[node])));
      }
    }
    for (const layer of order) {
      settle(layer, layer.map((node) => wanted(chained.above[node], x[node])));
    }
    return x;
  }

  function heightsOf(net, ranks, head) {
    const depths = new Array(ranks.reduce((most, rank) => Math.max(most, rank), -1) + 1).fill(0);
    ranks.forEach((rank, node) => { depths[rank] = Math.max(depths[rank], net.heights[node]); });
    const hasTop = net.layers.includes(TOP), hasBottom = net.layers.includes(BOTTOM), tops = [];
    let y = head + PAD;
    depths.forEach((depth, rank) => {
      if (hasTop && rank === 0) tops.push(0);
      else if (hasBottom && rank === depths.length - 1) tops.push(y - GAP_Y + PAD);
      else { tops.push(y); y += depth + GAP_Y; }
    });
    return { tops, depths, height: y - GAP_Y + PAD };
  }

  function arrange(net, head) {
    const ranks = ranksOf(net), chained = chainedOf(net, ranks);
    let x = placesOf(chained, orderOf(chained));
    const { tops, depths, height } = heightsOf(net, ranks, head);
    let left = x.length ? Infinity : 0, right = x.length ? -Infinity : 0;
    x.forEach((middle, node) => {
      left = Math.min(left, middle - chained.widths[node] / 2);
      right = Math.max(right, middle + chained.widths[node] / 2);
    });
    x = x.map((middle) => middle - left + PAD);
    const y = net.heights.map((high, node) => tops[ranks[node]] + (depths[ranks[node]] - high) / 2);
    const lines = net.links.map((link, number) => [
      [x[link.start] + link.out, y[link.start] + net.heights[link.start]],
      ...chained.chains[number].flatMap((node) => {
        const rank = chained.ranks[node];
        return [[x[node], tops[rank]], [x[node], tops[rank] + depths[rank]]];
      }),
      [x[link.end] + link.into, y[link.end]],
    ]);
    return { x, y, lines, width: right - left + 2 * PAD, height };
  }

  function portsOf(crossings) {
    const sources = [...new Set(crossings.map(({ source }) => source))];
    const one = Math.min(...sources);
    return new Map(sources.map((source) => [source, sources.length <= MOST_PORTS ? source : one]));
  }

  function shiftOf(ports, frame, key) {
    if (!frame || !frame[ports].size) return 0;
    const port = frame[ports].has(key) ? frame[ports].get(key) : frame[ports].values().next().value;
    return port - frame.width / 2;
  }

  // Lays out the inside of an open item. `kept` holds what was laid out before.
  function frameOf(h, item, open, kept) {
    if (kept.has(item)) return kept.get(item);
    const shown = shownOf(h, item, open), items = h.children[shown];
    const frames = new Map(items.filter((child) => open.has(child) && h.children[child].length)
      .map((child) => [child, frameOf(h, child, open, kept)]));
    const entering = portsOf(h.entering[shown]), leaving = portsOf(h.leaving[shown]);
    const ascending = (map) => [...new Set(map.values())].sort((a, b) => a - b);
    const tops = ascending(entering), bottoms = ascending(leaving);
    const places = new Map(items.map((child, place) => [child, tops.length + place]));
    const up = (source) => tops.indexOf(entering.get(source));
    const down = (source) => tops.length + items.length + bottoms.indexOf(leaving.get(source));
    const links = new Map();
    const add = (start, end, source, kind, out, into) => {
      const key = `${start} ${end} ${out} ${into}`, before = links.get(key);
      if (!before || (before.kind !== kind && kind === "data")) links.set(key, { start, end, out, into, source, kind });
    };
    const out = (child, source) => shiftOf("portsOut", frames.get(child), counterpart(h, child, source, open));
    const into = (child, source) => shiftOf("portsIn", frames.get(child), source);
    for (const { child, source, kind } of h.entering[shown]) add(up(source), places.get(child), source, kind, 0, into(child, source));
    for (const { start, end, source, kind } of h.inner[shown]) {
      add(places.get(start), places.get(end), source, kind, out(start, source), into(end, source));
    }
    for (const { child, source } of h.leaving[shown]) add(places.get(child), down(source), source, "data", out(child, source), 0);
    const sizes = items.map((child) => (frames.has(child) ? [frames.get(child).width, frames.get(child).height]
      : [WIDTH, PLAIN.has(h.kinds[child]) ? SMALL : HEIGHT]));
    const flat = (value, count) => new Array(count).fill(value);
    const net = {
      widths: [...flat(0, tops.length), ...sizes.map(([wide]) => wide), ...flat(0, bottoms.length)],
      heights: [...flat(0, tops.length), ...sizes.map(([, high]) => high), ...flat(0, bottoms.length)],
      layers: [...flat(TOP, tops.length), ...flat(FREE, items.length), ...flat(BOTTOM, bottoms.length)],
      links: [...links.values()],
    };
    const placed = arrange(net, item === h.root ? 0 : HEAD);
    const closed = new Set(items.filter((child) => !frames.has(child)).map((child) => places.get(child)));
    const frame = {
      width: placed.width, height: placed.height, frames,
      spots: items.map((child) => {
        const place = places.get(child);
        return {
          item: child, x: placed.x[place] - net.widths[place] / 2, y: placed.y[place],
          width: net.widths[place], height: net.heights[place], isOpen: frames.has(child),
        };
      }),
      routes: net.links.map((link, number) => ({
        points: placed.lines[number], kind: link.kind, source: link.source, hasHead: closed.has(link.end),
        from: items[link.start - tops.length], to: items[link.end - tops.length],
      })),
      portsIn: new Map([...entering.keys()].map((source) => [source, placed.x[up(source)]])),
      portsOut: new Map([...leaving.keys()].map((source) => [source, placed.x[down(source)]])),
    };
    kept.set(item, frame);
    return frame;
  }

  function collect(frame, left, top, drawing) {
    for (const route of frame.routes) {
      drawing.routes.push({ ...route, points: route.points.map(([x, y]) => [x + left, y + top]) });
    }
    for (const spot of frame.spots) {
      drawing.spots.push({ ...spot, x: spot.x + left, y: spot.y + top });
      if (spot.isOpen) collect(frame.frames.get(spot.item), left + spot.x, top + spot.y, drawing);
    }
    return drawing;
  }

  // Boxes, outer before inner, and lines; `open` maps open items to "one" or "all".
  function layOut(h, open, kept = new Map()) {
    const frame = frameOf(h, h.root, open, kept);
    return collect(frame, 0, 0, { width: frame.width, height: frame.height, spots: [], routes: [] });
  }

  return { hierarchyOf, layOut, fitApart };
})();
