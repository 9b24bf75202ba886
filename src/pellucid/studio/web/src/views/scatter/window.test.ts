import { expect, test } from "vitest";
import { moved, scaled, WHOLE } from "./window";

test("a closer look keeps its place", () => {
  const near = scaled(WHOLE, 0.5, 0.2, 0.8);
  expect(near.u[0] + 0.2 * (near.u[1] - near.u[0])).toBeCloseTo(0.2);
  expect(near.v[0] + 0.8 * (near.v[1] - near.v[0])).toBeCloseTo(0.8);
  expect(near.u[1] - near.u[0]).toBeCloseTo(0.5);
});

test("looking farther ends", () => {
  const far = scaled(scaled(WHOLE, 10), 10);
  expect(far.u[1] - far.u[0]).toBeCloseTo(1.5);
});

test("a move is by parts of what is seen", () => expect(moved({ u: [0.2, 0.4], v: [0, 1] }, 0.5, -0.1)).toEqual({ u: [expect.closeTo(0.3), expect.closeTo(0.5)], v: [-0.1, 0.9] }));
