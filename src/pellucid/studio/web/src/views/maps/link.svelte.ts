// Where in their pictures several maps look: enlarged, moved and pointed at together.
import { getContext, setContext } from "svelte";

const KEY = "linkedMaps";
const MOST = 16;

/** Lengths are parts of the picture, so that pictures of several sizes can be linked. */
export class Lens {
  scale = $state(1);
  /** Left top of what is shown. */
  x = $state(0);
  y = $state(0);
  /** The place that is pointed at, if any. */
  at = $state<{ x: number; y: number } | null>(null);

  /** Enlarges by `factor` about a place of the picture, which stays where it is. */
  zoom(factor: number, x = this.x + 0.5 / this.scale, y = this.y + 0.5 / this.scale): void {
    const scale = Math.min(MOST, Math.max(1, this.scale * factor));
    this.x = x - (x - this.x) * (this.scale / scale);
    this.y = y - (y - this.y) * (this.scale / scale);
    this.scale = scale;
    this.move(0, 0);
  }

  move(across: number, down: number): void {
    const most = 1 - 1 / this.scale;
    this.x = Math.min(most, Math.max(0, this.x + across));
    this.y = Math.min(most, Math.max(0, this.y + down));
  }

  reset(): void {
    this.scale = 1;
    this.move(0, 0);
  }
}

/** Links all overlays inside of the component that calls this. */
export function linkMaps(): Lens {
  return setContext(KEY, new Lens());
}

export function lens(): Lens {
  return getContext<Lens | undefined>(KEY) ?? new Lens();
}
