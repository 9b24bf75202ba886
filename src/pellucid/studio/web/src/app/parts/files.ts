// Files that a reader dropped or picked, with the folders that they came in: these are their labels.

export interface FileAt {
  file: File;
  /** With slashes, beginning at the folder that was dropped or picked. */
  path: string;
}

const HIDDEN = /(^|\/)(\.|__MACOSX\/|Thumbs\.db$)/;

/** Files of an input element; those that only the system made are left out. */
export function picked(list: FileList | null): FileAt[] {
  return [...(list ?? [])].map((file) => ({ file, path: file.webkitRelativePath || file.name })).filter(isWanted);
}

/** Files of a drop, of all folders below. */
export async function dropped(transfer: DataTransfer): Promise<FileAt[]> {
  // The list is emptied as soon as the event is over: take the entries first. What has none is a file at most.
  const items = [...transfer.items].filter(({ kind }) => kind === "file");
  const entries = items.map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile()).filter((entry) => entry !== null);
  const found = await Promise.all(entries.map((entry) => (entry instanceof File ? [{ file: entry, path: entry.name }] : below(entry))));
  return found.flat().filter(isWanted);
}

async function below(entry: FileSystemEntry): Promise<FileAt[]> {
  if (isFile(entry)) {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    return [{ file, path: entry.fullPath.replace(/^\//, "") }];
  }
  const inside: FileAt[] = [];
  for (const child of await children(entry as FileSystemDirectoryEntry)) inside.push(...(await below(child)));
  return inside;
}

const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile;

// A browser gives a folder's entries in portions of at most 100, until a portion is empty.
async function children(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const portion = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (!portion.length) return all;
    all.push(...portion);
  }
}

function isWanted({ path }: FileAt): boolean {
  return !HIDDEN.test(path);
}

export function total(files: readonly FileAt[]): number {
  return files.reduce((sum, { file }) => sum + file.size, 0);
}

/** What to call the upload: the folder's name, or the only file's. */
export function titleOf(files: readonly FileAt[]): string {
  const tops = new Set(files.map(({ path }) => path.split("/")[0] ?? path));
  return [...tops].slice(0, 3).join(", ").slice(0, 100);
}
