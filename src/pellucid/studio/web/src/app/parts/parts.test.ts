import type { DataSet } from "$lib/schemas";
import { expect, test } from "vitest";
import { dataSetOf, heldOut } from "./datasets";
import { picked, titleOf, total } from "./files";
import { grouped } from "./flat";

const data = (id: string, source: DataSet["source"], title = id): DataSet => ({ id, source, title, kind: "image", num_samples: 1, labels: [], splits: [], problems: [] });

test("a run's source names a data set of the studio", () => {
  const sets = [data("bundled-digits", "bundled", "Handwritten digits"), data("folder-1", "folder", "flowers"), data("u9", "upload", "birds")];
  expect(dataSetOf("bundled:digits", sets)?.id).toBe("bundled-digits");
  expect(dataSetOf("folder:/home/x/flowers?split=train", sets)?.id).toBe("folder-1");
  expect(dataSetOf("folder:/ws/uploads/u9/files", sets)?.id).toBe("u9");
  expect(dataSetOf("folder:/elsewhere/cats", sets)).toBeUndefined();
  expect(dataSetOf("", sets)).toBeUndefined();
});

test("a model is judged on what it was not trained on", () => {
  expect(heldOut(["train", "val", "test"])).toBe("test");
  expect(heldOut(["train", "validation"])).toBe("validation");
  expect(heldOut(["train"])).toBe("");
});

test("a record becomes groups of rows; what says nothing is left out", () => {
  const groups = grouped({ created: "today", seed: 0, model: { source: "x", run: "", inner: { rate: 0.123456789 } }, empty: {}, list: [1, 2], pid: 3 }, ["pid"]);
  expect(groups).toEqual([
    { name: "", rows: [{ name: "created", value: "today" }, { name: "seed", value: "0" }, { name: "list", value: "1, 2" }] },
    { name: "model", rows: [{ name: "source", value: "x" }, { name: "inner · rate", value: "0.123457" }] },
  ]);
});

test("long lists are cut, and say how long they are", () => {
  const [group] = grouped({ labels: Array.from({ length: 40 }, (_, index) => `class ${index}`) });
  expect(group?.rows[0]?.value).toMatch(/class 11 … \(40\)$/);
});

test("files keep their folders; those of the system are left out", () => {
  const file = (path: string, size = 2): File => Object.defineProperty(new File(["x".repeat(size)], path.split("/").at(-1) ?? ""), "webkitRelativePath", { value: path });
  const files = picked([file("flowers/rose/a.jpg"), file("flowers/.DS_Store"), file("flowers/tulip/b.jpg"), file("flowers/tulip/Thumbs.db")] as unknown as FileList);
  expect(files.map(({ path }) => path)).toEqual(["flowers/rose/a.jpg", "flowers/tulip/b.jpg"]);
  expect(titleOf(files)).toBe("flowers");
  expect(total(files)).toBe(4);
});
