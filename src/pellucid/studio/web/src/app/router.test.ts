import { beforeEach, expect, test } from "vitest";
import { find } from "./routes";
import { choose, go, isOurs, link, match, router } from "./router.svelte";

beforeEach(() => go("/", { replace: true }));

test("a pattern gives the named parts, decoded", () => {
  expect(match("/runs/:id", "/runs/a%20b")).toEqual({ id: "a b" });
  expect(match("/runs/:id", "/runs/")).toBeNull();
  expect(match("/runs/:id", "/runs/a/b")).toBeNull();
  expect(match("/runs/:id", "/runs/%E0%A4%A")).toEqual({ id: "%E0%A4%A" });
  expect(match("/", "/")).toEqual({});
});

test("every address of the studio leads to its page, and others nowhere", () => {
  for (const path of ["/", "/train", "/model", "/jobs", "/about", "/runs/x", "/results/x"]) expect(find(path), path).not.toBeNull();
  expect(find("/results/x")).toMatchObject({ route: { name: "result" }, params: { id: "x" } });
  expect(find("/nowhere")).toBeNull();
});

test("choices are kept in the address without a step back, and others stay", () => {
  go("/train?model=a&epochs=3");
  const steps = history.length;
  choose({ epochs: 5, strategy: null, with: ["x", "y"] });
  expect(router.query.toString()).toBe("model=a&epochs=5&with=x&with=y");
  choose({ epochs: null, with: [] });
  expect(window.location.search).toBe("?model=a");
  expect(history.length).toBe(steps);
});

test("a choice that may be undone by the browser's button is a step of its own", () => {
  go("/model");
  const steps = history.length;
  choose({ layer: "conv1" }, { push: true });
  expect(history.length).toBe(steps + 1);
});

test("a visit is another page, not a choice within one", () => {
  const before = router.visits;
  choose({ find: "x" });
  expect(router.visits).toBe(before);
  go("/jobs/");
  expect(router.visits).toBe(before + 1);
  expect(router.path).toBe("/jobs");
});

test("addresses leave out what was not chosen", () => {
  expect(link("/explain", { sample: "a/b", model: "", result: undefined, faithful: false, n: 0 })).toBe("/explain?sample=a%2Fb&n=0");
});

test("links to elsewhere, to files and to new tabs are the browser's", () => {
  const click = (html: string, event: Partial<MouseEvent> = {}) => {
    document.body.innerHTML = html;
    return isOurs({ button: 0, defaultPrevented: false, ...event } as MouseEvent, document.querySelector("a") as HTMLAnchorElement);
  };
  expect(click(`<a href="/runs/x">x</a>`)).toBe(true);
  expect(click(`<a href="/runs/x">x</a>`, { ctrlKey: true })).toBe(false);
  expect(click(`<a href="/api/files/x">x</a>`)).toBe(false);
  expect(click(`<a href="https://example.org/">x</a>`)).toBe(false);
  expect(click(`<a href="/x" download>x</a>`)).toBe(false);
  expect(click(`<a href="#content">x</a>`)).toBe(false);
});
