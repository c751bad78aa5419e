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

/** What ends the process that reads, whatever its statement does; passed as its first argument, in JSON. */
export interface SqliteLimits {
  /** Milliseconds after which it exits no matter what, since its parent may be gone. */
  readonly lifeMs: number;
  /** Most memory that it may occupy, in bytes. */
  readonly maxMemoryBytes: number;
}

/** Ends a process that takes too much memory; anything else that ends it is another signal. */
export const TOO_LARGE = "SIGTERM";

/** Its response. */
export type SqliteResponse =
  | { readonly rows: SqlRows }
  | { readonly tables: readonly SqlTable[] }
  | { readonly problem: SqlProblem };

/** What the model can do about a statement that takes too much memory. */
export const SMALLER = "sort, group and join fewer or shorter values, for example with WHERE and substr()";
