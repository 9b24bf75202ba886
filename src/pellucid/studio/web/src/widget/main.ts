import { mount, unmount } from "svelte";
import "../styles/base.css";
import { isDark, scoped } from "./scoped";
import { sourceOf, type Model } from "./source";
import Widget from "./Widget.svelte";

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const host = el.appendChild(document.createElement("div"));
  host.dataset.theme = isDark(el) ? "dark" : "light";
  const root = host.attachShadow({ mode: "open" });
  const style = root.appendChild(document.createElement("style"));
  style.textContent = scoped(model.get("style"));
  const source = sourceOf(model);
  const shown = mount(Widget, { target: root, props: { source } });
  return () => {
    source.close();
    void unmount(shown);
    host.remove();
  };
}

export default { render };
