import type { SqlTable } from "./table.ts";

/** Table names for an error message, at most 50. */
export function namesOf(tables: readonly SqlTable[]): string {
  const names = tables.slice(0, 50).map(({ table }) => table);
  return names.length === 0 ? "no tables" : `${names.join(", ")}${tables.length > 50 ? " and others" : ""}`;
}

/** Columns of the tables that a statement uses. */
export function columnsText(tables: readonly SqlTable[], sql: string): string {
  const words = new Set(sql.toLowerCase().match(/[\p{L}_][\p{L}\p{N}_$]*/gu) ?? []);
  const named = tables.filter(({ table }) => words.has(table.toLowerCase().split(".").at(-1) ?? "")).slice(0, 8);
  if (named.length === 0) return `there are ${namesOf(tables)}; sql_schema lists their columns`;
  return named
    .map(
      ({ table, columns }) =>
        `${table} has ${columns
          .slice(0, 60)
          .map(({ name }) => name)
          .join(", ")}`,
    )
    .join("; ");
}
