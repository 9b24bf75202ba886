import { expect, test } from "vitest";
import type { Method, MethodParameter } from "$lib/schemas";
import { checked, quick, wishInAddress, wishOf, withParameter, type Wish } from "./wishes";

const steps: MethodParameter = { name: "steps", type: "int", default: 32, minimum: 1, maximum: 1024, choices: [], about: "" };
function method(name: string, family: string, parameters: MethodParameter[] = []): Method {
  return { name, title: name, family, about: "", paper: "", kinds: ["image"], cost: "", needs_layer: false, parameters };
}
const known = [method("grad_cam", "cam"), method("integrated_gradients", "path", [steps]), method("occlusion", "perturbation")];

function again(wish: Wish): Wish {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(wishInAddress(wish))) for (const one of [value ?? []].flat()) query.append(key, one);
  return wishOf(new URLSearchParams(query.toString()), "image", known);
}

test("an address brings back what was wished for", () => {
  const wish: Wish = { methods: ["occlusion", "integrated_gradients"], target: 3, against: 0, layer: "layer4.1", faithfulness: false, parameters: { integrated_gradients: { steps: 64 } } };
  expect(again(wish)).toEqual(wish);
});

test("without a wish a picture gets a quick map and an exact one", () => {
  expect(wishOf(new URLSearchParams(), "image", known)).toMatchObject({ methods: ["grad_cam", "integrated_gradients"], target: null, faithfulness: true });
  expect(wishOf(new URLSearchParams(), "text", [known[2]!]).methods).toEqual(["occlusion"]);
});

test("what a hostile or old address holds is left out", () => {
  const query = new URLSearchParams("methods=grad_cam,nothing&target=-1&against=x&with=integrated_gradients.steps=9999&with=grad_cam.steps=3&with=%7B");
  expect(wishOf(query, "image", known)).toMatchObject({ methods: ["grad_cam"], target: null, against: null, parameters: {} });
});

test("parameters are checked by their card", () => {
  expect(checked(2.5, steps)).toBe(false);
  expect(checked(true, { ...steps, type: "bool" })).toBe(true);
  expect(checked("c", { ...steps, type: "str", choices: ["a", "b"] })).toBe(false);
});

test("a parameter at its default is none", () => {
  const set = withParameter({}, "integrated_gradients", steps, 8);
  expect(set).toEqual({ integrated_gradients: { steps: 8 } });
  expect(withParameter(set, "integrated_gradients", steps, 32)).toEqual({});
});

test("only quick methods follow the brush", () => expect(quick(["occlusion", "grad_cam"], known)).toEqual(["grad_cam"]));
