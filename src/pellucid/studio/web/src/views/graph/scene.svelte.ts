// A graph as it is seen: what is open, where the eye is, what is chosen.
import type { Graph } from "$lib/kinds";
import { arrangerOf, type Arranger } from "./arranger";
import { hierarchyOf, structureOf, type Hierarchy, type Openness } from "./hierarchy";
import type { Drawing } from "./layout";
import { GraphModel } from "./model";

const CLOSEST = 3;
const FARTHEST = 0.05;
const READABLE = 0.62; // scale at which a graph is first shown, if all of it would be smaller

export class Scene {
  readonly model: GraphModel;
  readonly #h: Hierarchy;
  readonly #arranger: Arranger;
  readonly open = new Map<number, Openness>();
  drawing = $state.raw<Drawing | null>(null);
  eye = $state.raw({ x: 0, y: 0, scale: 1 });
  size = $state.raw({ wide: 0, high: 0 });
  selected = $state(-1);
  hovered = $state(-1);
  isWaiting = $state(false);
  problem = $state("");
  /** Time that the last layout took, from asking to drawing. */
  milliseconds = $state(0);
  #spots = new Map<number, number>();

  constructor(readonly graph: Graph) {
    const structure = structureOf(graph);
    this.#h = hierarchyOf(structure);
    this.model = new GraphModel(graph, this.#h);
    this.#arranger = arrangerOf(structure);
    for (const item of graph.opened) this.open.set(item, "one");
  }

  start(): void {
    void this.#change(() => undefined, -1).then(() => this.fit(READABLE));
  }

  close(): void {
    this.#arranger.close();
  }

  /** Left, top, width and height of an item's box, if it is shown. */
  box(item: number): [number, number, number, number] | null {
    const at = this.#spots.get(item);
    if (at === undefined || !this.drawing) return null;
    const [x = 0, y = 0, width = 0, height = 0] = this.drawing.boxes.subarray(4 * at, 4 * at + 4);
    return [x, y, width, height];
  }

  /** Changes what is open and lays it out; `item` stays where it is on the screen. */
  async #change(act: () => void, item: number): Promise<void> {
    const started = performance.now();
    act();
    this.isWaiting = true;
    this.problem = "";
    try {
      const drawing = await this.#arranger.arrange(this.open);
      performance.measure("graph-layout", { start: started, end: performance.now() });
      if (drawing) this.#show(drawing, item);
      this.milliseconds = performance.now() - started;
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    } finally {
      this.isWaiting = false;
    }
  }

  #show(drawing: Drawing, item: number): void {
    const before = this.box(item);
    this.drawing = drawing;
    this.#spots = new Map(Array.from(drawing.items, (each, at) => [each, at]));
    const after = this.box(item);
    if (!before || !after) return;
    this.eye = { ...this.eye, x: this.eye.x + after[0] + after[2] / 2 - before[0] - before[2] / 2, y: this.eye.y + after[1] - before[1] };
  }

  toggle(item: number, how: Openness | null = this.open.has(item) ? null : "one"): void {
    if (!this.model.isGroup(item)) return;
    void this.#change(() => (how ? this.open.set(item, how) : this.open.delete(item)), item);
  }

  openAll(item: number): void {
    void this.#change(() => {
      const inside = item < 0 ? [...this.#h.children[this.#h.root]!] : [item];
      for (let at = inside.pop(); at !== undefined; at = inside.pop()) {
        if (!this.model.isGroup(at)) continue;
        if (!this.open.has(at)) this.open.set(at, "one");
        inside.push(...this.#h.children[at]!);
      }
    }, item);
  }

  closeAll(): void {
    this.selected = -1;
    void this.#change(() => this.open.clear(), -1).then(() => this.fit(0.5));
  }

  /** Closes the group around an item and chooses it. */
  closeGroup(item: number): void {
    const group = this.visible(this.#h.parents[item]!);
    if (group < 0) return;
    this.selected = group;
    this.toggle(group, null);
  }

  /** Opens what is around an item and goes there; of several groups built alike all, if it is not in the first. */
  async reveal(item: number): Promise<void> {
    const { parents, children, root } = this.#h;
    await this.#change(() => {
      for (let at = item, parent = parents[at]!; parent !== root; at = parent, parent = parents[at]!) {
        if (this.model.isRepeat(parent) && at !== children[parent]![0]) this.open.set(parent, "all");
        else if (!this.open.has(parent)) this.open.set(parent, "one");
      }
    }, -1);
    this.eye = { ...this.eye, scale: Math.max(this.eye.scale, 0.8) };
    this.select(this.visible(item));
  }

  /** The item itself, or else the innermost group around it that is shown; -1 if none is. */
  visible(item: number): number {
    let at = item;
    while (at >= 0 && at !== this.#h.root && !this.#spots.has(at)) at = this.#h.parents[at]!;
    return at === this.#h.root ? -1 : at;
  }

  parentOf(item: number): number {
    const parent = this.#h.parents[item] ?? this.#h.root;
    return parent === this.#h.root ? -1 : parent;
  }

  select(item: number): void {
    this.selected = item;
    const box = this.box(item);
    if (!box) return;
    const { scale } = this.eye;
    const [wide, high] = [this.size.wide / scale, this.size.high / scale];
    const [x, y, width, height] = box;
    const isAside = x - this.eye.x < 10 || x - this.eye.x + Math.min(width, wide - 20) > wide - 10;
    const isBeyond = y - this.eye.y < 10 || y - this.eye.y + Math.min(height, high - 20) > high - 10;
    this.eye = { scale, x: isAside ? x + width / 2 - wide / 2 : this.eye.x, y: isBeyond ? y + Math.min(height, high) / 2 - high / 2 : this.eye.y };
  }

  get farthest(): number {
    const { wide, high } = this.size;
    return this.drawing ? Math.min(FARTHEST, (wide - 16) / this.drawing.width, (high - 16) / this.drawing.height) : FARTHEST;
  }

  zoom(factor: number, x = this.size.wide / 2, y = this.size.high / 2): void {
    const scale = Math.max(this.farthest, Math.min(CLOSEST, this.eye.scale * factor));
    this.eye = { x: this.eye.x + x / this.eye.scale - x / scale, y: this.eye.y + y / this.eye.scale - y / scale, scale };
  }

  move(across: number, down: number): void {
    this.eye = { ...this.eye, x: this.eye.x + across / this.eye.scale, y: this.eye.y + down / this.eye.scale };
  }

  /** Shows all, but nothing smaller than `least`. */
  fit(least = 0): void {
    if (!this.drawing || !this.size.wide) return;
    const { wide, high } = this.size;
    const { width, height } = this.drawing;
    const scale = Math.max(least, Math.min(1.15, (wide - 16) / width, (high - 16) / height));
    // What does not fit is seen from where it begins.
    const first = width * scale > wide ? this.box(this.drawing.items[0] ?? -1) : null;
    const middle = first ? first[0] + first[2] / 2 : width / 2;
    this.eye = { scale, x: middle - wide / scale / 2, y: Math.min(0, (height - high / scale) / 2) };
  }

  /** The innermost item at a place of the canvas, or -1. */
  at(across: number, down: number): number {
    if (!this.drawing) return -1;
    const { boxes, items } = this.drawing;
    const [x, y] = [across / this.eye.scale + this.eye.x, down / this.eye.scale + this.eye.y];
    for (let at = items.length - 1; at >= 0; at -= 1) {
      const [left, top] = [boxes[4 * at]!, boxes[4 * at + 1]!];
      if (x >= left && x <= left + boxes[4 * at + 2]! && y >= top && y <= top + boxes[4 * at + 3]!) return items[at]!;
    }
    return -1;
  }

  /** The next item in a direction, from the one that is selected. */
  nearest(across: number, down: number): number {
    if (!this.drawing) return -1;
    const { boxes, items, open } = this.drawing;
    const from = this.#spots.get(this.selected);
    if (from === undefined) return items[0] ?? -1;
    const middle = (at: number) => [boxes[4 * at]! + boxes[4 * at + 2]! / 2, boxes[4 * at + 1]! + (open[at] ? 12 : boxes[4 * at + 3]! / 2)] as const;
    const [x, y] = middle(from);
    let [best, least] = [this.selected, Infinity];
    for (let at = 0; at < items.length; at += 1) {
      const [cx, cy] = middle(at);
      const along = (cx - x) * across + (cy - y) * down;
      const aside = Math.abs((cx - x) * down) + Math.abs((cy - y) * across);
      if (at === from || along <= 1 || along + 2.5 * aside >= least) continue;
      [best, least] = [items[at]!, along + 2.5 * aside];
    }
    return best;
  }
}
