import { afterEach, beforeEach, expect, test } from "vitest";
import { setLanguage } from "./i18n.svelte";
import type { Axis, Bars, ImageGrid, Lines, Picture, Table } from "./kinds";
import { fetchPhrases } from "./phrases.svelte";
import { figureValue, worded } from "./worded";

const axis = (label: string, unit = ""): Axis => ({ label, unit, scale: "linear", limits: null });
const numbers = (...data: number[]) => ({ data: Float64Array.from(data), shape: [data.length] });
const bars = (categories: string[]): Bars => ({
  kind: "Bars", title: "Which part changed", caption: "", categories, horizontal: true, value: axis("change", "%"),
  series: [{ name: "change", values: numbers(1, 2), low: null, high: null }],
});
const lines = (...names: string[]): Lines => ({
  kind: "Lines", title: "Loss", caption: "", x: axis("epoch"), y: axis("cross-entropy", "nat"),
  series: names.map((name) => ({ name, x: numbers(1), y: numbers(1), low: null, high: null, style: "line" })),
});
const picture = (sample: string, label: string): Picture => ({ sample, label, tone: "neutral", pixels: { url: "", shape: [1, 1, 3] } });

beforeEach(async () => {
  setLanguage("zh");
  await fetchPhrases();
});
afterEach(() => setLanguage("en"));

test("a reader of English gets the very view", () => {
  setLanguage("en");
  const view = bars(["fc"]);
  expect(worded(view)).toBe(view);
});

test("title, axes and series are in the reader's language", () => {
  const said = worded(lines("training", "validation")) as Lines;
  expect(said).toMatchObject({ title: "损失", x: { label: "轮次" }, y: { label: "交叉熵", unit: "奈特" } });
  expect(said.series.map(({ name }) => name)).toEqual(["训练", "验证"]);
});

test("names of layers stay, though they may be words", () => {
  expect((worded(bars(["head", "layer"])) as Bars).categories).toEqual(["head", "layer"]);
  expect((worded(lines("head", "conv1", "half")) as Lines).series.map(({ name }) => name)).toEqual(["head", "conv1", "half"]);
  expect(figureValue("Changed most", "head")).toBe("head");
  expect(figureValue("Training time", "1 min 15 s")).toBe("1 分 15 秒");
});

test("columns keep their names, and cells of the user's their words", () => {
  const view: Table = {
    kind: "Table", title: "Every change", caption: "",
    columns: [
      { name: "change", values: ["noise", "blur"], format: "", unit: "" },
      { name: "class", values: ["right", "wrong"], format: "", unit: "" },
      { name: "remark", values: ["mine", "noise"], format: "", unit: "" },
    ],
  };
  const { columns } = worded(view) as Table;
  expect(columns.map(({ name }) => name)).toEqual(["change", "class", "remark"]);
  expect(columns.map(({ values }) => values)).toEqual([["噪声", "模糊"], ["right", "wrong"], ["mine", "noise"]]);
});

test("reasons are told each for itself", () => {
  const view: Table = { kind: "Table", title: "", caption: "", columns: [{ name: "reason", values: ["noise", "somebody's reason", null], format: "", unit: "" }] };
  expect((worded(view) as Table).columns[0]!.values).toEqual(["噪声", "somebody's reason", null]);
});

test("labels of samples stay where what was made is named", () => {
  const view: ImageGrid = { kind: "ImageGrid", title: "", caption: "", pictures: [picture("a.png", "cat → dog"), picture("", "made for it")] };
  expect((worded(view) as ImageGrid).pictures.map(({ label }) => label)).toEqual(["cat → dog", "为其生成"]);
});
