import { mount, unmount } from "svelte";
import { showTheme } from "$lib/theme.svelte";
import "../styles/base.css";
import { followGround, scoped } from "./scoped";
import { sourceOf, type Model } from "./source";
import Widget from "./Widget.svelte";

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const host = el.appendChild(document.createElement("div"));
  const unfollow = followGround(el, (dark) => {
    host.dataset.theme = dark ? "dark" : "light";
    showTheme(dark ? "dark" : "light");
  });
  const root = host.attachShadow({ mode: "open" });
  const style = root.appendChild(document.createElement("style"));
  style.textContent = scoped(model.get("stylesheet"));
  const source = sourceOf(model);
  const shown = mount(Widget, { target: root, props: { source } });
  return () => {
    unfollow();
    source.close();
    void unmount(shown);
    host.remove();
  };
}

export default { render };
