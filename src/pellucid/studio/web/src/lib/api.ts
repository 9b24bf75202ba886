// How the page asks the server: JSON, uploads with progress, views, and events that come by themselves.
import { connection } from "./connection.svelte";
import type { View } from "./kinds";
import { unpack } from "./pack";
import { phrase } from "./phrases.svelte";
import type { ErrorBody, Problem } from "./schemas";

export { events } from "./events";
export type { Handlers } from "./events";

const ROOT = "/api";

/** Anything that kept an answer from coming, in words that can be shown. */
export class ApiError extends Error {
  readonly status: number;
  readonly type: string;
  readonly details: Record<string, unknown>;

  constructor(status: number, problem: Problem) {
    super(problem.message);
    this.name = "ApiError";
    this.status = status;
    this.type = problem.type;
    this.details = problem.details ?? {};
  }

  /** Whether the server could not be reached at all. */
  get offline(): boolean {
    return this.status === 0;
  }
}

export function isAborted(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

/** The full path of a route: `/runs/x` and `/api/runs/x` both lead to `/api/runs/x`. */
export function apiUrl(path: string, query: Query = {}): string {
  const full = path.startsWith(`${ROOT}/`) ? path : ROOT + path;
  const asked = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") asked.set(key, String(value));
  }
  const text = asked.toString();
  return text ? `${full}?${text}` : full;
}

export type Query = Record<string, string | number | boolean | null | undefined>;

interface Options {
  query?: Query;
  signal?: AbortSignal;
}

async function respond(path: string, init: RequestInit, query: Query = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(apiUrl(path, query), { credentials: "same-origin", ...init });
  } catch (error) {
    if (isAborted(error)) throw error;
    connection.fail();
    throw unreachable();
  }
  if (response.status === 401) connection.refuse();
  if (!response.ok) throw await readProblem(response);
  return response;
}

function unreachable(): ApiError {
  return new ApiError(0, { type: "Unreachable", message: "The studio does not answer. It may have been stopped.", details: {} });
}

async function readProblem(response: Response): Promise<ApiError> {
  const text = await response.text();
  return new ApiError(response.status, parseProblem(text) ?? plainProblem(response.status, response.statusText));
}

function parseProblem(text: string): Problem | null {
  try {
    const body = JSON.parse(text) as Partial<ErrorBody>;
    return typeof body?.error?.message === "string" ? body.error : null;
  } catch {
    return null;
  }
}

function plainProblem(status: number, words: string): Problem {
  return { type: "HTTPError", message: `The server answered ${status} ${words}`.trim() + ".", details: {} };
}

async function sendJson<T>(method: string, path: string, body: unknown, options: Options): Promise<T> {
  const init = { method, body: JSON.stringify(body), headers: { "Content-Type": "application/json" }, signal: options.signal };
  return parse<T>(await respond(path, init, options.query));
}

async function parse<T>(response: Response): Promise<T> {
  return (response.status === 204 ? undefined : await response.json()) as T;
}

export const api = {
  async get<T>(path: string, options: Options = {}): Promise<T> {
    return parse<T>(await respond(path, { signal: options.signal }, options.query));
  },
  post<T>(path: string, body: unknown = {}, options: Options = {}): Promise<T> {
    return sendJson<T>("POST", path, body, options);
  },
  patch<T>(path: string, body: unknown, options: Options = {}): Promise<T> {
    return sendJson<T>("PATCH", path, body, options);
  },
  /** Send a form of files. `onprogress` is told the share sent, from 0 to 1. */
  upload<T>(path: string, form: FormData, onprogress?: (share: number) => void, signal?: AbortSignal): Promise<T> {
    return send<T>(path, form, onprogress, signal);
  },
};

// fetch() cannot tell how much of an upload has been sent; XMLHttpRequest can.
function send<T>(path: string, form: FormData, onprogress?: (share: number) => void, signal?: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", apiUrl(path));
    request.upload.onprogress = (event) => event.lengthComputable && onprogress?.(event.loaded / event.total);
    request.onload = () => {
      if (request.status === 401) connection.refuse();
      if (request.status >= 200 && request.status < 300) return resolve(JSON.parse(request.responseText) as T);
      reject(new ApiError(request.status, parseProblem(request.responseText) ?? plainProblem(request.status, request.statusText)));
    };
    request.onerror = () => {
      connection.fail();
      reject(unreachable());
    };
    request.onabort = () => reject(new DOMException("The upload was stopped.", "AbortError"));
    signal?.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}

/** Fetch one view, as columns ready to be drawn. `path` is a route such as `/results/ID/views/0`. */
export async function fetchView(path: string, options: Options = {}): Promise<View> {
  const response = await respond(path, { signal: options.signal, headers: { Accept: "application/vnd.pellucid.view" } }, options.query);
  return unpack(await response.arrayBuffer());
}

/** What to show of an error, whoever threw it, in the language of the page. */
export function words(error: unknown): string {
  return phrase(error instanceof Error ? error.message : String(error));
}
