// What is done to a curve before it is drawn: thinned to the pixels there are, and smoothed.

export interface Curve {
  x: ArrayLike<number>;
  y: ArrayLike<number>;
}

export interface Thinned {
  x: number[];
  /** A gap, where a curve is broken, is null. */
  y: (number | null)[];
}

/** First position at which rising `values` are not below `wanted`. */
export function firstAt(values: ArrayLike<number>, wanted: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Position whose value in rising `values` is nearest to `wanted`; -1 if there are none. */
export function nearest(values: ArrayLike<number>, wanted: number): number {
  const at = firstAt(values, wanted);
  if (at === values.length) return at - 1;
  return at > 0 && wanted - values[at - 1]! < values[at]! - wanted ? at - 1 : at;
}

/** The curve with x rising; itself if it is so already. */
export function rising<C extends Curve & { low?: ArrayLike<number> | null; high?: ArrayLike<number> | null }>(curve: C): C {
  let sorted = true;
  for (let i = 1; sorted && i < curve.x.length; i++) sorted = !(curve.x[i]! < curve.x[i - 1]!);
  if (sorted && !hasGapsInX(curve.x)) return curve;
  const order = Array.from(curve.x, (_, i) => i).filter((i) => Number.isFinite(curve.x[i]!));
  order.sort((a, b) => curve.x[a]! - curve.x[b]!);
  const pick = (values: ArrayLike<number>) => Float64Array.from(order, (i) => values[i]!);
  return { ...curve, x: pick(curve.x), y: pick(curve.y), low: curve.low ? pick(curve.low) : null, high: curve.high ? pick(curve.high) : null };
}

function hasGapsInX(x: ArrayLike<number>): boolean {
  for (let i = 0; i < x.length; i++) if (!Number.isFinite(x[i]!)) return true;
  return false;
}

/** Thin a curve with rising x to its lowest and highest point in each of `columns` between `from` and
 *  `to`, with one neighbour beyond each end. What has few points stays as it is. */
export function thin({ x, y }: Curve, from: number, to: number, columns: number): Thinned {
  const start = Math.max(0, firstAt(x, from) - 1);
  let end = firstAt(x, to);
  while (end < x.length && x[end] === to) end++;
  end = Math.min(x.length, end + 1);
  const found: Thinned = { x: [], y: [] };
  const put = (at: number) => {
    found.x.push(x[at]!);
    const value = y[at]!;
    found.y.push(Number.isFinite(value) ? value : null);
  };
  if (end - start <= 2 * columns) {
    for (let at = start; at < end; at++) put(at);
    return found;
  }
  const wide = (to - from) / columns || 1;
  for (let at = start; at < end; ) {
    const last = from + (Math.floor((x[at]! - from) / wide) + 1) * wide;
    let [low, high, any] = [-1, -1, at];
    for (; at < end && (x[at]! < last || at === any); at++) {
      const value = y[at]!;
      if (!Number.isFinite(value)) continue;
      if (low < 0 || value < y[low]!) low = at;
      if (high < 0 || value > y[high]!) high = at;
    }
    if (low < 0) put(any);
    else if (low === high) put(low);
    else [Math.min(low, high), Math.max(low, high)].forEach(put);
  }
  return found;
}

/** Exponential moving mean, corrected for its start; gaps stay gaps. `weight` of the past, 0 to 1. */
export function smooth(y: ArrayLike<number>, weight: number): Float64Array {
  const smoothed = new Float64Array(y.length);
  let [mean, left] = [0, 1];
  for (let i = 0; i < y.length; i++) {
    const value = y[i]!;
    if (!Number.isFinite(value)) {
      smoothed[i] = NaN;
      continue;
    }
    mean = weight * mean + (1 - weight) * value;
    left *= weight;
    smoothed[i] = mean / (1 - left);
  }
  return smoothed;
}
