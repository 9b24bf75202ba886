import { expect, test } from "vitest";
import { isDark, scoped } from "./scoped";

test("rules for the page hold for the widget alone", () => {
  expect(scoped(":root { --ink: #000 }")).toBe(":host { --ink: #000 }");
  expect(scoped(':root:not([data-theme="light"]){a:b}')).toBe(':host(:not([data-theme="light"])){a:b}');
  expect(scoped('x{}:root[data-theme="dark"]{a:b}')).toBe('x{}:host([data-theme="dark"]){a:b}');
  expect(scoped("*,:before{x:y}body{margin:0}.tbody{c:d}")).toBe("*,:before{x:y}:host{margin:0}.tbody{c:d}");
});

test("the notebook's theme is seen by what lies behind", () => {
  const outer = document.createElement("div");
  const inner = outer.appendChild(document.createElement("div"));
  document.body.append(outer);
  expect(isDark(inner)).toBe(false);
  outer.style.backgroundColor = "rgb(20, 20, 20)";
  expect(isDark(inner)).toBe(true);
});
