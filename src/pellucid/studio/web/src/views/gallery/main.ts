import { mount } from "svelte";
import "../../styles/base.css";
import { setLanguage } from "$lib/i18n.svelte";
import { setTheme, startTheme } from "$lib/theme.svelte";
import Gallery from "./Gallery.svelte";

const asked = new URLSearchParams(location.search);
startTheme();
if (asked.get("theme") === "dark" || asked.get("theme") === "light") setTheme(asked.get("theme") as "dark" | "light");
if (asked.get("language") === "zh") setLanguage("zh");
mount(Gallery, { target: document.getElementById("gallery") as HTMLElement, props: { only: asked.get("only") ?? "", compact: asked.has("compact") } });
