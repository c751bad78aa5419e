import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { SessionStore } from "@pollux/core";
import { storeConformance } from "@pollux/core/testing";
import { afterAll, describe, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
// Git, the linter and the compiler leave folders of this name alone.
const folder = join(root, "test/docs/dist");

interface Row {
  readonly key: Buffer;
  readonly position: number;
  readonly entry: string;
  readonly at: number;
}

/** The four statements of the page's store, on a table in memory. That Postgres takes them was seen with Postgres 15. */
class FakePostgres {
  #rows: Row[] = [];

  async query(sql: string, values: readonly any[]): Promise<{ rows: unknown[]; rowCount: number }> {
    const [key, second, third] = values;
    const own = this.#rows.filter((row) => row.key.equals(key)).toSorted((a, b) => a.position - b.position);
    if (sql.startsWith("insert into pollux_entry (key, position, entry) select")) {
      if (second !== own.length) return { rows: [], rowCount: 0 };
      const entries = JSON.parse(third) as unknown[];
      // As of two that look at once: the second runs into the primary key.
      await Promise.resolve();
      if (this.#rows.some((row) => row.key.equals(key) && row.position >= second)) {
        throw Object.assign(new Error("duplicate key value violates unique constraint"), { code: "23505" });
      }
      for (const [n, entry] of entries.entries()) {
        this.#rows.push({ key, position: second + n, entry: JSON.stringify(entry), at: Date.now() });
      }
      return { rows: [], rowCount: entries.length };
    }
    if (sql.startsWith("select entry")) {
      const rows = own.filter(({ position }) => position >= second).map(({ entry }) => ({ entry: JSON.parse(entry) }));
      return { rows, rowCount: rows.length };
    }
    if (sql.startsWith("select coalesce")) return { rows: [{ length: own.length }], rowCount: 1 };
    if (sql.startsWith("select key")) {
      const rows = this.#rows
        .filter(({ position }) => position === 0)
        .map((first) => this.#rows.filter((row) => row.key.equals(first.key)))
        .map((log) => ({ key: log[0]!.key, length: log.length, at: log.at(-1)!.at }))
        .filter((row) => row.key.compare(key) > 0 && row.key.subarray(0, second.length).equals(second))
        .toSorted((a, b) => a.key.compare(b.key))
        .slice(0, third);
      return { rows, rowCount: rows.length };
    }
    if (sql.startsWith("delete from")) {
      this.#rows = this.#rows.filter((row) => !row.key.equals(key));
      return { rows: [], rowCount: own.length };
    }
    throw new Error(`a statement the fake does not know: ${sql}`);
  }
}

async function pageStore(): Promise<new (client: FakePostgres) => SessionStore> {
  const page = readFileSync(join(root, "docs/guides/sessions.md"), "utf8");
  const code = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].find(([, text]) =>
    text?.includes("class PostgresStore"),
  );
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "postgres-store.ts"), `${code?.[1] ?? ""}export { PostgresStore };\n`);
  const module: unknown = await import(join(folder, "postgres-store.ts"));
  return (module as { readonly PostgresStore: new (client: FakePostgres) => SessionStore }).PostgresStore;
}

const PostgresStore = await pageStore();

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(
  storeConformance(() => {
    const database = new FakePostgres();
    return { store: new PostgresStore(database), reopen: async () => new PostgresStore(database) };
  }),
)("the store of the page about sessions: $name", ({ run }) => {
  test("holds", run);
});
