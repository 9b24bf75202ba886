/// <reference types="vitest/config" />
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { fileURLToPath } from "node:url";
import { defineConfig, type UserConfig } from "vite";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const BUILT = at("../../front/built");

// One source, three surfaces: the studio's pages, the report's single script, the notebook's module.
const SURFACES: Record<string, UserConfig> = {
  studio: {
    base: "/",
    build: { outDir: `${BUILT}/studio`, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
    server: { proxy: { "/api": "http://127.0.0.1:8686", "/login": "http://127.0.0.1:8686" } },
  },
  report: single("report", "iife"),
  widget: single("widget", "es"),
  // Every kind of view on one page, to be looked at while working on them; it is no part of the package.
  gallery: { base: "./", build: { rolldownOptions: { input: at("src/views/gallery/index.html") } } },
};

function single(name: string, format: "iife" | "es"): UserConfig {
  return {
    build: {
      outDir: `${BUILT}/${name}`,
      assetsInlineLimit: Number.MAX_SAFE_INTEGER,
      lib: { entry: at(`src/${name}/main.ts`), formats: [format], name: "pellucid", fileName: () => `${name}.js`, cssFileName: name },
      rolldownOptions: { output: { codeSplitting: false } },
    },
    define: { "process.env.NODE_ENV": '"production"' },
  };
}

export default defineConfig(({ mode }) => {
  const surface = SURFACES[mode] ?? {};
  return {
    ...surface,
    plugins: [svelte()],
    define: { __SURFACE__: JSON.stringify(mode), ...surface.define },
    resolve: {
      alias: { $lib: at("src/lib"), $views: at("src/views"), $app: at("src/app") },
      conditions: mode === "test" ? ["browser"] : undefined,
    },
    worker: { format: "es" },
    build: { emptyOutDir: true, target: "es2022", ...surface.build },
    test: { environment: "jsdom", isolate: false, pool: "threads", maxWorkers: 1, include: ["src/**/*.test.ts"] },
  };
});
