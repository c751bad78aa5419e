import { JsonlStore, SqliteStore } from "@pollux/core/node";

/** The stores that keep sessions on a disk. */
export type Kind = "jsonl" | "sqlite";

/** A store at a path: a folder or a file. */
export function openStore(kind: Kind, path: string): JsonlStore | SqliteStore {
  return kind === "jsonl" ? new JsonlStore(path) : new SqliteStore(path);
}
