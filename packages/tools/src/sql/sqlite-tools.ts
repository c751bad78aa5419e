import { statSync } from "node:fs";
import { resolve } from "node:path";
import { ConfigurationError, type Tool, ToolError } from "@pollux/core";
import { defaultMaxProcesses } from "../processes/process-queue.ts";
import { type AskLimits, askSqlite } from "./ask-sqlite.ts";
import { queryTool, type ReadOnlyDatabase } from "./query-tool.ts";
import { schemaTool } from "./schema-tool.ts";
import { bound, type Bounds, boundsOf, type SqlBounds } from "./sql-options.ts";
import type { SqliteRequest, SqliteResponse } from "./sqlite-request.ts";

/** Least memory for Node itself and small statements, in bytes. */
const LEAST_MEMORY = 150_000_000;

/** Options of {@link sqliteTools}. */
export interface SqliteToolOptions extends SqlBounds {
  /** Path of the database file. */
  readonly file?: string | undefined;
  /** An open `DatabaseSync` instead of the path; its file is opened again, read-only. */
  readonly database?: { location(): string | null } | undefined;
  /**
   * Most memory that one call's process may occupy, in bytes; Node itself takes about 60 MB of it. A statement that needs more is
   * stopped. @defaultValue 500_000_000
   */
  readonly maxMemoryBytes?: number | undefined;
  /**
   * Most calls that run at once in this program, by any of its SQLite tools; others wait in line, for `timeoutMs` at most.
   * @defaultValue one per core, but no more than fit into a quarter of the memory
   */
  readonly maxConcurrent?: number | undefined;
}

/**
 * `sql_schema` and `sql_query` for a SQLite file. Each call opens it read-only in its own process: SQLite refuses every write,
 * and a statement that never finishes, or takes too much memory, is killed with its process.
 *
 * @throws {ConfigurationError} If this Node has no SQLite (before 22.13), or there is no such file.
 * @example
 * ```ts
 * const agent = new Agent({ model: "gemini-flash-latest", tools: sqliteTools({ file: "shop.db" }) });
 * ```
 */
export function sqliteTools(options: SqliteToolOptions): Tool[] {
  const bounds = boundsOf(options);
  if (!hasSqlite())
    throw new ConfigurationError(
      `sqliteTools() requires Node 22.13 or later for node:sqlite; this is Node ${process.versions.node}.`,
    );
  const database = new SqliteFile(fileOf(options), bounds, limitsOf(options, bounds));
  return [schemaTool(database, bounds), queryTool(database, bounds)];
}

function hasSqlite(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  return major > 22 || (major === 22 && minor >= 13);
}

function fileOf({ file, database }: SqliteToolOptions): string {
  const given = file ?? database?.location() ?? undefined;
  if (given === undefined || given.trim() === "" || given === ":memory:")
    throw new ConfigurationError(
      "sqliteTools() requires a database file; an in-memory database cannot be read by another process.",
    );
  const path = resolve(given);
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === true) return path;
  throw new ConfigurationError(`sqliteTools(): there is no file ${path}.`);
}

function limitsOf(options: SqliteToolOptions, { timeoutMs }: Bounds): AskLimits {
  const { maxMemoryBytes = 500_000_000 } = options;
  if (!Number.isSafeInteger(maxMemoryBytes) || maxMemoryBytes < LEAST_MEMORY)
    throw new TypeError(`maxMemoryBytes must be an integer of at least ${LEAST_MEMORY}, got ${String(maxMemoryBytes)}`);
  const { maxConcurrent = defaultMaxProcesses(maxMemoryBytes) } = options;
  return { timeoutMs, maxMemoryBytes, maxConcurrent: bound("maxConcurrent", maxConcurrent) };
}

class SqliteFile implements ReadOnlyDatabase {
  readonly dialect = "SQLite";
  readonly placeholder = "?";
  readonly #file: string;
  readonly #bounds: Bounds;
  readonly #limits: AskLimits;

  constructor(file: string, bounds: Bounds, limits: AskLimits) {
    this.#file = file;
    this.#bounds = bounds;
    this.#limits = limits;
  }

  async rows(
    question: Parameters<ReadOnlyDatabase["rows"]>[0],
    { signal }: { readonly signal: AbortSignal },
  ): ReturnType<ReadOnlyDatabase["rows"]> {
    const response = await this.#ask({ kind: "rows", ...question }, signal);
    if ("rows" in response) return response.rows;
    throw new ToolError("SQLite returned no rows");
  }

  async tables(
    names: readonly string[] | undefined,
    { signal }: { readonly signal: AbortSignal },
  ): ReturnType<ReadOnlyDatabase["tables"]> {
    const response = await this.#ask({ kind: "tables", names, maxCount: this.#bounds.maxCount }, signal);
    if ("tables" in response) return response.tables;
    throw new ToolError("SQLite returned no tables");
  }

  async #ask(ask: SqliteRequest["ask"], signal: AbortSignal): Promise<SqliteResponse> {
    const { maxCellCharacters, maxResultBytes } = this.#bounds;
    const request = { file: this.#file, ask, maxCellCharacters, maxBytes: maxResultBytes };
    const response = await askSqlite(request, this.#limits, signal);
    if (!("problem" in response)) return response;
    const { message, advice } = response.problem;
    throw new ToolError(`${message}; ${advice}`);
  }
}
