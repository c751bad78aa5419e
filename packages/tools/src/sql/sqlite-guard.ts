import type * as Sqlite from "node:sqlite";

/** Functions that reach outside the database, if a build has them. */
const FORBIDDEN = new Set([
  "load_extension",
  "fts3_tokenizer",
  "readfile",
  "writefile",
  "edit",
  "sqlite_attach",
  "sqlite_detach",
]);

/** Pragmas that change nothing; most of them describe tables. */
const DESCRIBING = new Set([
  // Full-text indexes use this to detect changes.
  "data_version",
  "table_info",
  "table_xinfo",
  "table_list",
  "index_list",
  "index_info",
  "index_xinfo",
  "foreign_key_list",
  "function_list",
  "collation_list",
  "compile_options",
]);

/** Largest text or blob that SQLite may create, in bytes. */
const MAX_LENGTH = 20_000_000;

/** Methods of newer versions of Node. */
type Newer = Partial<Pick<Sqlite.DatabaseSync, "setAuthorizer" | "enableDefensive">>;

/**
 * Opens a file so that SQLite itself refuses everything except reading: the file is opened read-only, statements may not write, and,
 * if this Node has an authorizer, SQLite compiles only statements that read.
 */
export function openReadOnly({ DatabaseSync, constants }: typeof Sqlite, file: string): Sqlite.DatabaseSync {
  const options = { readOnly: true, allowExtension: false, timeout: 2_000, limits: { length: MAX_LENGTH, attach: 0 } };
  const database = new DatabaseSync(file, options);
  database.exec("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY");
  const newer: Newer = database;
  newer.enableDefensive?.(true);
  const { SQLITE_OK, SQLITE_DENY } = constants;
  const isReading = new Set<number>([
    constants.SQLITE_SELECT,
    constants.SQLITE_READ,
    constants.SQLITE_RECURSIVE,
    // Virtual tables prepare these when they are connected; executing them fails because the file is read-only.
    constants.SQLITE_INSERT,
    constants.SQLITE_UPDATE,
    constants.SQLITE_DELETE,
  ]);
  newer.setAuthorizer?.((action, first, second) => {
    if (action === constants.SQLITE_FUNCTION)
      return FORBIDDEN.has((second ?? "").toLowerCase()) ? SQLITE_DENY : SQLITE_OK;
    if (action === constants.SQLITE_PRAGMA)
      return DESCRIBING.has((first ?? "").toLowerCase()) ? SQLITE_OK : SQLITE_DENY;
    return isReading.has(action) ? SQLITE_OK : SQLITE_DENY;
  });
  return database;
}

/**
 * Lets SQLite's own grammar decide whether a text is one query: only a query can be in parentheses after FROM. Nothing is
 * executed.
 *
 * @throws SQLite's error for anything else.
 */
export function checkQuery(database: Sqlite.DatabaseSync, sql: string): void {
  database.prepare(`SELECT * FROM (${sql}\n)`);
}
