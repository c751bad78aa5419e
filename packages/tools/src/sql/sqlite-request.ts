import type { SqlParameter, SqlProblem, SqlRows, SqlTable } from "./table.ts";

/** What the process that reads a SQLite file is asked. */
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
  /** Rows are fetched until they are larger than this. */
  readonly maxBytes: number;
  /** Milliseconds after which the process ends itself, whatever it does: its parent may be gone. */
  readonly lifeMs: number;
}

/** What it answers. */
export type SqliteResponse =
  | { readonly rows: SqlRows }
  | { readonly tables: readonly SqlTable[] }
  | { readonly problem: SqlProblem };
