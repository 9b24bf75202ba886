import { language, setLanguage } from "$lib/i18n.svelte";
import { morePhrases } from "$lib/phrases.svelte";
import { startTheme } from "$lib/theme.svelte";
import { mount } from "svelte";
import "../styles/base.css";
import "../styles/controls.css";
import App from "./App.svelte";

morePhrases("zh", () => import("../phrases/zh/errors"));
startTheme();
setLanguage(language());
mount(App, { target: document.getElementById("app") as HTMLElement });
