import { MemoryStore, type SessionStore } from "@pollux/core";
import { JsonlStore, SqliteStore } from "@pollux/core/node";

/** A store that is closed with its scope. */
export interface OpenStore extends AsyncDisposable {
  readonly store: SessionStore;
}

/** Opens the store at a path once more, with nothing remembered from the last time. */
export function openStore(kind: "jsonl" | "sqlite", path: string): OpenStore {
  if (kind === "jsonl") return { store: new JsonlStore(path), [Symbol.asyncDispose]: async () => {} };
  const store = new SqliteStore(path);
  return { store, [Symbol.asyncDispose]: async () => store.close() };
}

/** Every store, each as a function that gives a store of its own over the same sessions. */
export function eachStore(folder: string): readonly (readonly [string, () => OpenStore])[] {
  const memory = new MemoryStore();
  return [
    ["memory", () => ({ store: memory, [Symbol.asyncDispose]: async () => {} })],
    ["jsonl", () => openStore("jsonl", `${folder}/sessions`)],
    ["sqlite", () => openStore("sqlite", `${folder}/sessions.db`)],
  ];
}
