// Turns a question into a job whose result is kept: what is not in a data set yet is put into one.
import { api, apiUrl } from "$lib/api";
import type { Input, JobRequest, ModelReference, SamplePage, Upload } from "$lib/schemas";
import type { FoundSample, Source } from "../../asking/sources";
import type { Wish } from "../../asking/wishes";

interface Place {
  data: string;
  split: string | null;
  sample: string;
}

/** What to ask for so that the explanation is kept. Strokes and contrasts are not. */
export async function jobFor(model: ModelReference, source: Source, input: Input, wish: Wish): Promise<JobRequest> {
  const { data, split, sample } = await placeOf(source, input);
  return {
    kind: "explain",
    model,
    data: { data, split },
    methods: wish.methods,
    target: wish.target ?? "predicted",
    samples: [sample],
    parameters: wish.parameters,
    faithfulness: wish.faithfulness,
  };
}

async function placeOf(source: Source, input: Input): Promise<Place> {
  switch (source.from) {
    case "data": {
      const query = { split: source.split, start: source.position, count: 1 };
      const page = await api.get<SamplePage>(`/data/${source.data}/samples`, { query });
      return { data: source.data, split: source.split || null, sample: page.items[0]!.sample };
    }
    case "result": {
      const found = await api.get<FoundSample>("/samples", { query: { result: source.result, sample: source.sample } });
      return { data: found.data, split: found.split, sample: found.sample };
    }
    case "upload":
      return brought(await pictureOf(input), input.title);
    case "text":
      return brought(tableOf(source.text), input.title);
  }
}

async function brought(file: File, title: string): Promise<Place> {
  const form = new FormData();
  form.append("title", title);
  form.append("files", file, file.name);
  const { data } = await api.upload<Upload>("/uploads", form);
  const page = await api.get<SamplePage>(`/data/${data}/samples`, { query: { start: 0, count: 1 } });
  return { data: data!, split: null, sample: page.items[0]!.sample };
}

async function pictureOf(input: Input): Promise<File> {
  const response = await fetch(apiUrl(`/inputs/${input.id}.png`), { credentials: "same-origin" });
  return new File([await response.blob()], `${plain(input.title)}.png`, { type: "image/png" });
}

export function tableOf(text: string): File {
  return new File([`text\r\n"${text.replaceAll('"', '""')}"\r\n`], "texts.csv", { type: "text/csv" });
}

function plain(title: string): string {
  return title.replace(/\.[a-z]+$/i, "").replace(/[^\p{L}\p{N}_-]+/gu, "-").slice(0, 60) || "picture";
}

