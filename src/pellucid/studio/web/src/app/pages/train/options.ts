// What can be set about a fine-tuning: each option with its default, its bounds, and where it matters.

export interface Option {
  name: string;
  kind: "number" | "choice" | "list";
  standard: number | string;
  least?: number;
  /** Values must be below this. */
  below?: number;
  step?: number;
  choices?: readonly string[];
  /** Shown at once; the others are folded. */
  first?: boolean;
  /** Only of use with this strategy. */
  strategy?: string;
}

export const STRATEGIES = ["head", "partial", "full", "gradual", "lora"] as const;
export type Strategy = (typeof STRATEGIES)[number];

export const OPTIONS: readonly Option[] = [
  { name: "epochs", kind: "number", standard: 10, least: 1, step: 1, first: true },
  { name: "learning_rate", kind: "number", standard: 0, least: 0, first: true },
  { name: "batch_size", kind: "number", standard: 32, least: 2, step: 1, first: true },
  { name: "last_blocks", kind: "number", standard: 1, least: 1, step: 1, strategy: "partial" },
  { name: "lora_rank", kind: "number", standard: 8, least: 1, step: 1, strategy: "lora" },
  { name: "optimizer", kind: "choice", standard: "adamw", choices: ["adamw", "sgd"] },
  { name: "schedule", kind: "choice", standard: "cosine", choices: ["cosine", "linear", "constant"] },
  { name: "warmup", kind: "number", standard: 0.05, least: 0, below: 1 },
  { name: "weight_decay", kind: "number", standard: 0.01, least: 0 },
  { name: "patience", kind: "number", standard: 0, least: 0, step: 1 },
  { name: "augment", kind: "list", standard: "", choices: ["flip", "crop", "colour"] },
  { name: "class_weights", kind: "choice", standard: "none", choices: ["none", "balanced"] },
  { name: "label_smoothing", kind: "number", standard: 0, least: 0, below: 1 },
  { name: "gradient_clip", kind: "number", standard: 1, least: 0 },
  { name: "precision", kind: "choice", standard: "auto", choices: ["auto", "fp32", "bf16", "fp16"] },
  { name: "seed", kind: "number", standard: 0, least: 0, step: 1 },
];

export type Trouble = "number" | "least" | "below" | "whole" | "epochs";

/** Read options from the texts of a form or an address: values that differ from the standard, and what is wrong. */
export function readOptions(texts: (name: string) => string | null, strategy: string): { values: Record<string, unknown>; troubles: Record<string, Trouble> } {
  const values: Record<string, unknown> = {};
  const troubles: Record<string, Trouble> = {};
  for (const option of OPTIONS) {
    const text = texts(option.name);
    if (text === null || text === "" || (option.strategy && option.strategy !== strategy)) continue;
    if (option.kind !== "number") {
      if (text !== option.standard) values[option.name] = option.kind === "list" ? text.split(",") : text;
      continue;
    }
    const trouble = troubleOf(option, Number(text));
    if (trouble) troubles[option.name] = trouble;
    else if (Number(text) !== option.standard) values[option.name] = Number(text);
  }
  const epochs = Number(values.epochs ?? 10);
  if (strategy === "gradual" && epochs < 3 && !troubles.epochs) troubles.epochs = "epochs";
  return { values, troubles };
}

function troubleOf(option: Option, value: number): Trouble | null {
  if (!Number.isFinite(value)) return "number";
  if (option.least !== undefined && value < option.least) return "least";
  if (option.below !== undefined && value >= option.below) return "below";
  return option.step === 1 && !Number.isInteger(value) ? "whole" : null;
}
