import { mount } from "svelte";
import "../styles/base.css";
import { readRecord } from "./record";
import Report from "./Report.svelte";

const target = document.getElementById("report") as HTMLElement;
target.replaceChildren();
mount(Report, { target, props: { record: readRecord() } });
