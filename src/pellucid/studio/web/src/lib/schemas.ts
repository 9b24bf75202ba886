// Short names for what the API takes and gives. The types are made from its schema: `npm run types`.
import type { components } from "./openapi";

type Schemas = components["schemas"];
/** What is sent: fields that have a default may be left out. */
type Sent<Name extends keyof Schemas, Needed extends keyof Schemas[Name]> = Partial<Schemas[Name]> & Pick<Schemas[Name], Needed>;

export type Answer = Schemas["Answer"];
export type Curve = Schemas["Curve"];
export type Curves = Schemas["Curves"];
export type DataSet = Schemas["DataSet"];
export type ErrorBody = Schemas["ErrorBody"];
export type Faithfulness = Schemas["Faithfulness"];
export type FileInfo = Schemas["File"];
export type Headline = Schemas["Figure"];
export type Input = Schemas["Input"];
export type Job = Schemas["Job"];
export type JobKind = Job["kind"];
export type JobState = Job["state"];
export type Method = Schemas["Method"];
export type MethodParameter = Schemas["Parameter"];
export type ModelChoice = Schemas["ModelChoice"];
export type ModelDetail = Schemas["ModelDetail"];
export type Predictions = Schemas["Predictions"];
export type Problem = Schemas["Problem"];
export type ResultDetail = Schemas["ResultDetail"];
export type ResultSummary = Schemas["ResultSummary"];
export type RunDetail = Schemas["RunDetail"];
export type RunStatus = Schemas["RunSummary"]["status"];
export type RunSummary = Schemas["RunSummary"];
export type SampleItem = Schemas["SampleItem"];
export type SamplePage = Schemas["SamplePage"];
export type Session = Schemas["Session"];
export type Stroke = Schemas["Stroke"];
export type Upload = Schemas["Upload"];
export type ViewSummary = Schemas["ViewSummary"];
export type Why = Schemas["Why"];
export type Workspace = Schemas["Workspace"];

export type ModelReference = Sent<"ModelReference", "reference">;
export type DataReference = Sent<"DataReference", "data">;
export type Change = Partial<Schemas["Change"]>;
// POST /inputs takes a picture as a form, or one of these as JSON.
export interface TextInput {
  text: string;
}
export interface SampleInput {
  data: string;
  split?: string | null;
  position?: number | null;
  sample?: string | null;
}
type Asking = { model: ModelReference };
export type Ask = Omit<Sent<"Ask", "input">, "model"> & Asking;
export type AskWhy = Omit<Sent<"AskWhy", "input" | "methods">, "model"> & Asking;
type OnData = Asking & { data: DataReference };
export type JobRequest =
  | (Omit<Sent<"Finetune", "kind">, "model" | "data"> & OnData)
  | (Omit<Sent<"Evaluate", "kind">, "model" | "data"> & OnData)
  | (Omit<Sent<"Explain", "kind" | "methods">, "model" | "data"> & OnData)
  | (Omit<Sent<"Inspect", "kind">, "model" | "data"> & Asking & { data?: DataReference | null })
  | (Omit<Sent<"VisualizeFeature", "kind" | "layer" | "units">, "model"> & Asking)
  | (Omit<Sent<"Compare", "kind">, "model" | "other" | "data"> & OnData & { other: ModelReference })
  | (Omit<Sent<"BenchmarkMethods", "kind">, "model" | "data"> & OnData);
export type ReportItem = Partial<Schemas["ReportItem"]>;
export type ReportRequest = Omit<Sent<"ReportRequest", "title">, "items"> & { items: ReportItem[] };
