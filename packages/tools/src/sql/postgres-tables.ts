import { recordsOf, type SqlDriver } from "./driver.ts";
import type { SqlTable } from "./table.ts";

/** With more tables than this, rows are not counted. */
const MOST_COUNTED = 50;

/** The tables of all schemas except the system's that the role may read. */
const TABLES = `
select c.oid::text as id, n.nspname as schema, c.relname as name, c.relkind::text as kind, c.reltuples::float8 as estimate
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
  and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\\_%'
  and pg_catalog.has_table_privilege(c.oid, 'select')
order by n.nspname = 'public' desc, n.nspname, c.relname limit 2000`;

const COLUMNS = `
select a.attrelid::text as id, a.attname as name, pg_catalog.format_type(a.atttypid, a.atttypmod) as type,
  a.attnotnull as not_null, pg_catalog.pg_get_expr(d.adbin, d.adrelid) as value
from pg_catalog.pg_attribute a
left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attnum > 0 and not a.attisdropped and a.attrelid::text in (select json_array_elements_text($1::json))
order by a.attrelid, a.attnum`;

const KEYS = `
select k.conrelid::text as id, k.contype::text as kind, pg_catalog.pg_get_constraintdef(k.oid) as text
from pg_catalog.pg_constraint k
where k.contype in ('p', 'f') and k.conrelid::text in (select json_array_elements_text($1::json))
order by k.conname`;

/** @param names - `table` or `schema.table`; all if absent. @param maxCount - 0 counts no rows. */
export async function postgresTables(
  query: SqlDriver,
  names: readonly string[] | undefined,
  maxCount: number,
): Promise<readonly SqlTable[]> {
  const wanted = names?.map((name) => name.toLowerCase().replaceAll('"', ""));
  const found = recordsOf(await query(TABLES, [])).map((row) => {
    const schema = String(row["schema"]);
    const name = String(row["name"]);
    return {
      id: String(row["id"]),
      schema,
      name,
      shown: schema === "public" ? name : `${schema}.${name}`,
      isView: row["kind"] === "v",
      estimate: Number(row["estimate"]),
    };
  });
  const chosen = found.filter(
    ({ schema, name }) =>
      wanted === undefined || wanted.includes(name.toLowerCase()) || wanted.includes(`${schema}.${name}`.toLowerCase()),
  );
  if (chosen.length === 0) return [];
  const ids = JSON.stringify(chosen.map(({ id }) => id));
  const columns = byId(recordsOf(await query(COLUMNS, [ids])));
  const keys = byId(recordsOf(await query(KEYS, [ids])));
  const tables: SqlTable[] = [];
  for (const { id, schema, name, shown, isView, estimate } of chosen) {
    const counts = maxCount > 0 && !isView && chosen.length <= MOST_COUNTED;
    const rows = counts ? await count(query, schema, name, estimate, maxCount) : undefined;
    const own = keys.get(id) ?? [];
    const primary = own.filter((key) => key["kind"] === "p").flatMap((key) => columnsIn(String(key["text"])));
    const foreign = own
      .filter((key) => key["kind"] === "f")
      .map(({ text }) => ({
        columns: columnsIn(String(text)),
        references: /REFERENCES (.+?\([^)]*\))/.exec(String(text))?.[1] ?? String(text),
      }));
    tables.push({
      table: shown,
      kind: isView ? "view" : "table",
      columns: (columns.get(id) ?? []).map((column) => ({
        name: String(column["name"]),
        type: String(column["type"]),
        ...(column["not_null"] === true && { not_null: true as const }),
        ...(typeof column["value"] === "string" && { default: column["value"].slice(0, 100) }),
      })),
      ...(primary.length > 0 && { primary_key: primary }),
      ...(foreign.length > 0 && { foreign_keys: foreign }),
      ...(rows !== undefined && { rows }),
    });
  }
  return tables;
}

async function count(
  query: SqlDriver,
  schema: string,
  name: string,
  estimate: number,
  most: number,
): Promise<number | string> {
  // The planner's estimate is far above the limit; there is no need to count.
  if (estimate > most * 2) return `about ${Math.round(estimate)}`;
  const from = [schema, name].map((part) => `"${part.replaceAll('"', '""')}"`).join(".");
  const [row] = recordsOf(
    await query(`select count(*)::int as n from (select 1 from ${from} limit ${most + 1}) counted`, []),
  );
  const rows = Number(row?.["n"]);
  return rows > most ? `more than ${most}` : rows;
}

type Row = { readonly [column: string]: unknown };

function byId(rows: readonly Row[]): ReadonlyMap<string, readonly Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) groups.set(String(row["id"]), [...(groups.get(String(row["id"])) ?? []), row]);
  return groups;
}

/** Names in the first parentheses of a constraint, such as `FOREIGN KEY (a, b) REFERENCES …`. */
function columnsIn(text: string): readonly string[] {
  return (/\(([^)]*)\)/.exec(text)?.[1] ?? "").split(",").map((name) => name.trim().replaceAll(/^"|"$/g, ""));
}
