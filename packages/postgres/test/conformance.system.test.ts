import { storeConformance } from "@pollux/conformance";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { PostgresStore } from "../src/index.ts";
import { type DebianPostgres, HAS_POSTGRES, startDebian } from "./support/debian-postgres.ts";
import { pgliteChecks } from "./support/pglite-checks.ts";

let server: DebianPostgres;
beforeAll(async () => {
  if (HAS_POSTGRES) server = await startDebian();
});
afterAll(() => server?.close());

const LEVELS = ["read committed", "serializable"] as const;

describe.runIf(HAS_POSTGRES).each(LEVELS)("on Postgres, where transactions are %s by default", (level) => {
  const checks = storeConformance(async () => {
    const schema = `s${crypto.randomUUID()}`;
    const options = `-c default_transaction_isolation=${level.replace(" ", "\\ ")}`;
    const stores: PostgresStore[] = [];
    const open = async (): Promise<PostgresStore> => {
      const store = new PostgresStore(`${server.url}?options=${encodeURIComponent(options)}`, { schema });
      stores.push(store);
      return store;
    };
    return {
      store: await open(),
      reopen: open,
      close: async () => {
        for (const store of stores) await store.close();
      },
    };
  });

  describe.each(checks)("$name", ({ run }) => {
    test("holds", run);
  });
});

describe.each(pgliteChecks())("$name", ({ run }) => {
  test("holds on PGlite", run);
});

describe.runIf(HAS_POSTGRES)("a store on Postgres", () => {
  test("uses a pool of its caller, and leaves it open", async () => {
    const pool = new pg.Pool({ connectionString: server.url });
    onTestFinished(() => pool.end());
    const store = new PostgresStore(pool, { schema: "given" });
    await store.append("a", 0, [1]);
    store.watch("a", () => {});
    await store.close();
    expect((await pool.query("select entry from given.session_entries")).rows).toEqual([{ entry: "1" }]);
    await expect.poll(() => pool.idleCount === pool.totalCount).toBe(true);
  });

  test("takes parsers of `pg` that others have replaced", async () => {
    // What is not text is replaced; texts are as they come.
    const odd = new pg.Pool({
      connectionString: server.url,
      types: { getTypeParser: (oid: number) => (oid === 25 ? String : () => "replaced") },
    });
    onTestFinished(() => odd.end());
    const store = new PostgresStore(odd, { schema: "odd" });
    await store.append("a", 0, [1, 2], { info: { ...INFO, owner: "ada" } });
    expect(await store.list()).toEqual([{ ...INFO, owner: "ada", id: "a", length: 2, updatedAt: expect.any(Number) }]);
    expect(await store.deleteSessions({ owner: "ada" })).toBe(1);
  });

  test("has an index for each way of listing", async () => {
    const pool = new pg.Pool({ connectionString: server.url, max: 1 });
    onTestFinished(() => pool.end());
    const sent: { readonly text: string; readonly values: unknown[] }[] = [];
    const spied = {
      connect: () => pool.connect(),
      query: (text: string, values: unknown[] = []) => {
        sent.push({ text, values });
        return pool.query(text, values);
      },
    };
    await using store = new PostgresStore(spied, { schema: "indexed", listen: false });
    await store.append("a", 0, [1], { info: { ...INFO, owner: "ada", metadata: { team: "blue" } } });
    await pool.query(
      `insert into indexed.sessions (hash, key, id, length, updated_at, owner, metadata)
        select sha256(key), key, id, 1, n, sha256(owner), array[sha256(owner)]
        from generate_series(1, 5000) n, convert_to(repeat(n::text, 2), 'UTF8') key, concat(n) id, convert_to((n % 500)::text, 'UTF8') owner`,
    );
    await pool.query("analyze indexed.sessions");
    const after = { id: "a", updatedAt: 4000 };
    const ways = {
      sessions_updated_at_idx: { after },
      sessions_owner_updated_at_idx: { owner: "ada" },
      sessions_substring_idx: { order: "id", after },
      sessions_metadata_idx: { metadata: { team: "blue" }, order: "id" },
    } as const;
    for (const [index, options] of Object.entries(ways)) {
      await store.list(options);
      const { text = "", values = [] } = sent.at(-1) ?? {};
      const { rows } = await pool.query(`explain ${text}`, values);
      expect(JSON.stringify(rows), index).toContain(index);
      // Not of all rows.
      expect(JSON.stringify(rows), index).not.toContain("Seq Scan");
    }
  });

  test("stores ids and owners that are longer than an index takes", async () => {
    await using store = new PostgresStore(server.url, { schema: "long" });
    const random = (): string => Array.from({ length: 200 }, () => crypto.randomUUID()).join("");
    const ids = [random(), random()].toSorted();
    for (const id of ids)
      await store.append(id, 0, [id], { info: { ...INFO, owner: `of ${id}`, metadata: { [id]: id } } });
    expect((await store.list({ order: "id" })).map(({ id }) => id)).toEqual(ids);
    for (const id of ids) {
      expect(await store.load(id)).toEqual([id]);
      for (const filter of [{ owner: `of ${id}` }, { metadata: { [id]: id } }, { prefix: id.slice(0, 5000) }])
        expect((await store.list(filter)).map((one) => one.id)).toEqual([id]);
    }
  });
});

const INFO = { state: "idle", createdAt: 1, messages: 1, turns: 1, totalTokens: 2, cost: 3 } as const;
