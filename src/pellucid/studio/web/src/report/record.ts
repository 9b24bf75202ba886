// What the page holds: its words as one JSON record, and each view as a block of its own.
import type { View, ViewKind } from "$lib/kinds";
import { unpack } from "$lib/pack";

export interface ViewEntry {
  id: string;
  block: string;
  kind: ViewKind;
  title: string;
  /** Two such views fit side by side. */
  narrow: boolean;
  /** The sample that the view explains; "" for other views. */
  sample: string;
}

export interface SectionRecord {
  id: string;
  title: string;
  summary: string;
  comment: string;
  origin: [name: string, value: string][];
  commands: string[];
  views: ViewEntry[];
}

export interface ReportRecord {
  title: string;
  note: string;
  lead: string;
  date: string;
  version: string;
  figures: [label: string, value: string, detail: string][];
  sections: SectionRecord[];
}

export function readRecord(root: Document = document): ReportRecord {
  return JSON.parse(root.getElementById("record")?.textContent ?? "") as ReportRecord;
}

/** Take the block of a view apart: base64, deflated, packed. */
export async function readView(block: string): Promise<View> {
  const written = document.getElementById(block)?.textContent;
  if (!written) throw new Error(`block ${block} is not on this page`);
  const bytes = Uint8Array.from(atob(written), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return unpack(await new Response(stream).arrayBuffer());
}

export const paragraphs = (text: string): string[] => text.split("\n").filter((line) => line.trim());
