import { MemoryStore, type SessionStore } from "@pollux/core";
import { JsonlStore, SqliteStore } from "@pollux/core/node";

/** A store that its scope closes. */
export interface OpenStore extends AsyncDisposable {
  readonly store: SessionStore;
}

/** Opens the store at a path again, with nothing in memory. */
export function openStore(kind: "jsonl" | "sqlite", path: string): OpenStore {
  if (kind === "jsonl") return { store: new JsonlStore(path), [Symbol.asyncDispose]: async () => {} };
  const store = new SqliteStore(path);
  return { store, [Symbol.asyncDispose]: async () => store.close() };
}

/** Every kind of store, each as a function that opens another store of the same sessions. */
export function eachStore(folder: string): readonly (readonly [string, () => OpenStore])[] {
  const memory = new MemoryStore();
  return [
    ["memory", () => ({ store: memory, [Symbol.asyncDispose]: async () => {} })],
    ["jsonl", () => openStore("jsonl", `${folder}/sessions`)],
    ["sqlite", () => openStore("sqlite", `${folder}/sessions.db`)],
  ];
}
