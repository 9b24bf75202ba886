// Whether the server answers. When it stops, the page asks until it is back, and then reads again.

const state = $state({ lost: false, refused: false, returns: 0 });
const PAUSES = [500, 1000, 2000, 4000];
let asking = false;

export const connection = {
  /** The server could not be reached when it was asked last. */
  get lost(): boolean {
    return state.lost;
  },
  /** The server does not know this browser: the address from the terminal has to be opened again. */
  get refused(): boolean {
    return state.refused;
  },
  /** How often the server came back; what reads from it follows this number. */
  get returns(): number {
    return state.returns;
  },
  fail(): void {
    state.lost = true;
    if (!asking) void askUntilBack();
  },
  /** Ask whether the server still answers, where something hints that it may not. */
  async check(): Promise<void> {
    if (asking) return;
    const status = await statusOfSession();
    if (status === null) connection.fail();
    else if (status === 401) connection.refuse();
  },
  refuse(): void {
    state.refused = true;
  },
};

async function askUntilBack(): Promise<void> {
  asking = true;
  for (let turn = 0; ; turn++) {
    await new Promise((resolve) => setTimeout(resolve, PAUSES[Math.min(turn, PAUSES.length - 1)]));
    const status = await statusOfSession();
    if (status === null) continue;
    asking = false;
    state.lost = false;
    state.refused = status === 401;
    state.returns += 1;
    return;
  }
}

async function statusOfSession(): Promise<number | null> {
  try {
    return (await fetch("/api/session", { credentials: "same-origin", cache: "no-store" })).status;
  } catch {
    return null;
  }
}
