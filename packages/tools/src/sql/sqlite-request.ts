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
  /** Milliseconds after which the process exits no matter what, since its parent may be gone. */
  readonly lifeMs: number;
}

/** Its response. */
export type SqliteResponse =
  | { readonly rows: SqlRows }
  | { readonly tables: readonly SqlTable[] }
  | { readonly problem: SqlProblem };
