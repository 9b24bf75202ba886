// Events that the server sends by itself. A browser keeps only six connections to a server for all its
// tabs, so one tab listens to each stream and tells the others.
import { connection } from "./connection.svelte";

/** What is called for each event by name; `open` whenever the stream begins (anew), so that what was missed can be read. */
export type Handlers = Record<string, (data: never, id: string) => void> & { open?: () => void };

interface Message {
  name: string;
  data: string;
  id: string;
}

/** Listen to the events of a route; returns how to stop. */
export function events(path: string, handlers: Handlers): () => void {
  const url = path.startsWith("/api/") ? path : `/api${path}`;
  const tell = (message: Message) => dispatch(handlers, message);
  if (!shareable()) return listen(url, names(handlers), tell);
  return share(url, names(handlers), tell);
}

const names = (handlers: Handlers) => Object.keys(handlers).filter((name) => name !== "open");

function dispatch(handlers: Handlers, { name, data, id }: Message): void {
  const handler = handlers[name] as ((data: unknown, id: string) => void) | undefined;
  handler?.(data ? JSON.parse(data) : null, id);
}

function shareable(): boolean {
  return typeof BroadcastChannel !== "undefined" && typeof navigator !== "undefined" && "locks" in navigator;
}

// The tab that holds the lock of a stream listens; when it is closed, the lock goes to another.
function share(url: string, wanted: string[], tell: (message: Message) => void): () => void {
  const channel = new BroadcastChannel(`pellucid-events ${url}`);
  const left = new AbortController();
  let stop = () => {};
  channel.onmessage = (event: MessageEvent<Message>) => tell(event.data);
  tell({ name: "open", data: "", id: "" });
  const held = (): Promise<void> =>
    new Promise((resolve) => {
      if (left.signal.aborted) return resolve();
      const close = listen(url, wanted, (message) => {
        tell(message);
        channel.postMessage(message);
      });
      stop = () => {
        close();
        resolve();
      };
    });
  navigator.locks.request(`pellucid-events ${url}`, { signal: left.signal }, held).catch((error: unknown) => {
    if (!left.signal.aborted) throw error;
  });
  return () => {
    left.abort();
    stop();
    channel.close();
  };
}

// EventSource takes up a broken stream by itself, but gives up for good when the server refuses it or is gone.
function listen(url: string, wanted: string[], tell: (message: Message) => void): () => void {
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const begin = () => {
    source = new EventSource(url);
    source.onopen = () => tell({ name: "open", data: "", id: "" });
    source.onerror = () => {
      void connection.check();
      if (source?.readyState !== EventSource.CLOSED) return;
      timer = setTimeout(begin, 2000);
    };
    for (const name of wanted) {
      source.addEventListener(name, (event: MessageEvent<string>) => tell({ name, data: event.data, id: event.lastEventId }));
    }
  };
  begin();
  return () => {
    clearTimeout(timer);
    source?.close();
  };
}
