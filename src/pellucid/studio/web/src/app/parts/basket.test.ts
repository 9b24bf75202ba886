import { beforeEach, expect, test } from "vitest";
import { basket, moved, parsed, toggled } from "./basket.svelte";

beforeEach(() => basket.clear());

test("what is put in is kept for a reload, in order, once", () => {
  basket.add({ kind: "run", id: "r", title: "A run" });
  basket.add({ kind: "result", id: "e", title: "Evaluation" });
  basket.add({ kind: "run", id: "r", title: "A run" });
  basket.move(0, 1);
  basket.change(0, { comment: "Look at the dogs." });
  basket.title = "For the board";
  const kept = parsed(sessionStorage.getItem("pellucid-report"));
  expect(kept.title).toBe("For the board");
  expect(kept.items.map((item) => [item.id, item.comment])).toEqual([["e", "Look at the dogs."], ["r", ""]]);
});

test("single views gather under their result", () => {
  basket.addView({ id: "e", title: "Evaluation" }, 3);
  basket.addView({ id: "e", title: "Evaluation" }, 1);
  expect(basket.items).toHaveLength(1);
  expect(basket.items[0]!.views).toEqual([1, 3]);
  expect(basket.hasView("e", 1)).toBe(true);
  expect(basket.hasView("e", 0)).toBe(false);
  basket.remove({ kind: "result", id: "e" });
  expect(basket.items).toEqual([]);
});

test("moving stays within the list", () => {
  expect(moved(["a", "b", "c"], 0, 2)).toEqual(["b", "c", "a"]);
  expect(moved(["a", "b", "c"], 2, -4)).toEqual(["c", "a", "b"]);
  expect(moved(["a"], 5, 0)).toEqual(["a"]);
});

test("views can be left out and taken in again", () => {
  expect(toggled(null, 1, 3)).toEqual([0, 2]);
  expect(toggled([0, 2], 1, 3)).toBeNull();
  expect(toggled([2], 2, 3)).toEqual([]);
});

test("what is broken in storage is left out", () => {
  expect(parsed("{").items).toEqual([]);
  expect(parsed('{"items": [{"kind": "run"}, {"kind": "run", "id": "r", "title": "", "views": null, "comment": ""}]}').items).toHaveLength(1);
});
