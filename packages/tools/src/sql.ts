export type { SqlConnection, SqlDriver, SqlDriverResult } from "./sql/driver.ts";
export type { SqlQueryInput, SqlQueryResult } from "./sql/query-tool.ts";
export type { SqlSchemaInput, SqlSchemaResult } from "./sql/schema-tool.ts";
export type { SqlBounds } from "./sql/sql-options.ts";
export { sqlTools, type SqlToolOptions } from "./sql/sql-tools.ts";
export { sqliteTools, type SqliteToolOptions } from "./sql/sqlite-tools.ts";
export type { SqlColumn, SqlForeignKey, SqlParameter, SqlTable } from "./sql/table.ts";
