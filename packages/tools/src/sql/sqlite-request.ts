import type { SqlParameter, SqlProblem, SqlRows, SqlTable } from "./table.ts";

/** A request to the process that reads a SQLite file. */
export interface SqliteRequest {
  /** Absolute path of the database. */
  readonly file: string;
  readonly ask:
    | {
        readonly kind: "rows";
        readonly sql: string;
        readonly parameters: readonly SqlParameter[];
        readonly limit: number;
        readonly offset: number;
      }
    | { readonly kind: "tables"; readonly names: readonly string[] | undefined; readonly maxCount: number };
  readonly maxCellCharacters: number;
  /** Rows are fetched until they exceed this. */
  readonly maxBytes: number;
}

/** Limits that end the reading process during any statement; passed as its first argument, in JSON. */
export interface SqliteLimits {
  /** Milliseconds after which it always exits, since its parent may be gone. */
  readonly lifeMs: number;
  /** Most memory that it may occupy, in bytes. */
  readonly maxMemoryBytes: number;
}

/** The signal that ends a process that takes too much memory; everything else ends it with another signal. */
export const TOO_LARGE = "SIGTERM";

/** The process's response. */
export type SqliteResponse =
  | { readonly rows: SqlRows }
  | { readonly tables: readonly SqlTable[] }
  | { readonly problem: SqlProblem };

/** Advice for the model about a statement that takes too much memory. */
export const SMALLER = "sort, group and join fewer or shorter values, for example with WHERE and substr()";
