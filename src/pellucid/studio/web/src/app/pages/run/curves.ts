// Metrics of runs as charts: which belong together, what they are called, and how exact points join coarse ones.
import { t } from "$lib/i18n.svelte";
import type { Axis, Column, Lines, Series } from "$lib/kinds";
import type { Curve } from "$lib/schemas";

export interface Chart {
  id: string;
  /** Names of the metrics that it shows, as the server knows them: "epoch.train_loss". */
  names: string[];
}

// How long an epoch took is told in the run's summary; as a curve it only rises.
const NO_CURVE = new Set(["epoch.seconds"]);
const TOGETHER: [string, RegExp][] = [
  ["loss", /^epoch\.(train|validation|test)_loss$/],
  ["accuracy", /^epoch\.(train|validation|test)_accuracy$/],
  ["step.loss", /^step\.loss$/],
  ["step.learning_rate", /^step\.learning_rate/],
  ["step.gradient_norm", /^step\.gradient_norm/],
];

/** Sort metrics into charts; each that belongs to none gets one of its own. */
export function chartsOf(metrics: readonly string[]): Chart[] {
  const left = new Set(metrics.filter((name) => !NO_CURVE.has(name)));
  const charts: Chart[] = [];
  for (const [id, fits] of TOGETHER) {
    const names = metrics.filter((name) => fits.test(name));
    names.forEach((name) => left.delete(name));
    if (names.length) charts.push({ id, names });
  }
  return [...charts, ...[...left].sort().map((name) => ({ id: name, names: [name] }))];
}

/** The plain name of a metric: "epoch.train_loss" is "training", "step.gpu_memory" is "gpu memory". */
export function metricWord(name: string): string {
  const [, rest = name] = name.split(/\.(.*)/s);
  const part = /^(train|validation|test)_(loss|accuracy)$/.exec(rest)?.[1];
  return part ? t(`app.curve.${part}`) : rest.replaceAll(/[_.]/g, " ");
}

export function chartTitle(chart: Chart): string {
  return TOGETHER.some(([id]) => id === chart.id) ? t(`app.chart.${chart.id}`) : capital(metricWord(chart.id));
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A chart as a view. Runs are named in the legend where there are several. */
export function linesOf(chart: Chart, curves: readonly Curve[], runs: readonly { id: string; name: string }[]): Lines {
  const series: Series[] = runs.flatMap((run) =>
    chart.names.flatMap((name) => {
      const curve = curves.find((one) => one.run === run.id && one.name === name);
      return curve ? [{ name: seriesName(chart, name, runs.length > 1 ? run.name : ""), x: column(curve.x), y: column(curve.y), low: null, high: null, style: "line" as const }] : [];
    }),
  );
  const step = chart.names[0]?.startsWith("step.");
  return { kind: "Lines", title: chartTitle(chart), caption: captionOf(chart), series, x: axis(t(step ? "app.axis.step" : "app.axis.epoch")), y: axis(chartTitle(chart)) };
}

function seriesName(chart: Chart, name: string, run: string): string {
  const metric = chart.names.length > 1 || !run ? metricWord(name) : "";
  return [run, metric].filter(Boolean).join(" · ");
}

function captionOf(chart: Chart): string {
  return TOGETHER.some(([id]) => id === chart.id) ? t(`app.chart.${chart.id}.about`) : "";
}

function axis(label: string): Axis {
  return { label, unit: "", scale: "linear", limits: null };
}

function column(values: readonly (number | null)[]): Column {
  return { data: Float64Array.from(values, (value) => value ?? NaN), shape: [values.length] };
}

/** Coarse curves with the exact points of a stretch in place of their own there. */
export function refined(coarse: readonly Curve[], exact: readonly Curve[], [from, to]: [number, number]): Curve[] {
  return coarse.map((curve) => {
    const better = exact.find((one) => one.run === curve.run && one.name === curve.name);
    if (!better?.x.length) return curve;
    const points = [
      ...pointsOf(curve).filter(([x]) => x !== null && x < from),
      ...pointsOf(better),
      ...pointsOf(curve).filter(([x]) => x !== null && x > to),
    ];
    return { ...curve, x: points.map(([x]) => x), y: points.map(([, y]) => y) };
  });
}

function pointsOf(curve: Curve): [number | null, number | null][] {
  return curve.x.map((x, index) => [x, curve.y[index] ?? null]);
}

/** Curves of a run with news of it added: points beyond the last, or all anew after a `reset`. */
export function appended(curves: readonly Curve[], news: readonly Curve[], reset: boolean): Curve[] {
  const known = new Map(curves.map((curve) => [keyOf(curve), curve]));
  for (const fresh of news) {
    const old = known.get(keyOf(fresh));
    known.set(keyOf(fresh), reset || !old ? fresh : joined(old, fresh));
  }
  return [...known.values()];
}

const keyOf = (curve: Curve) => `${curve.run} ${curve.name}`;

function joined(old: Curve, fresh: Curve): Curve {
  const last = old.x.at(-1) ?? -Infinity;
  const from = fresh.x.findIndex((x) => x !== null && x > last);
  if (from < 0) return old;
  return { ...old, x: [...old.x, ...fresh.x.slice(from)], y: [...old.y, ...fresh.y.slice(from)], total: Math.max(old.total, fresh.total), exact: old.exact && fresh.exact };
}
