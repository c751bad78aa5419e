import { JsonlStore, SqliteStore } from "@pollux/core/node";

/** The stores that keep sessions on a disk. */
export type Kind = "jsonl" | "sqlite";

/** A store at a path: a folder or a file. */
export function openStore(
  kind: Kind,
  path: string,
  options: { readonly lockTimeoutMs?: number | undefined } = {},
): JsonlStore | SqliteStore {
  return kind === "jsonl" ? new JsonlStore(path, options) : new SqliteStore(path, options);
}
