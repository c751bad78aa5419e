import { inspect } from "node:util";
import { AgentError, ConfigurationError, type Json } from "@pollux/core";
import { SessionConflictError, SessionStoreError } from "@pollux/core/errors";
import { describe, expect, onTestFinished, test } from "vitest";
import { type ConnectionOptions, PostgresStore } from "../src/index.ts";
import { refuse } from "./support/fake-server.ts";
import { onePool } from "./support/one-pool.ts";

const place = onePool();

/** Rejections of everything that a store can be asked. */
async function failuresOf(store: PostgresStore): Promise<readonly unknown[]> {
  const lease = { token: 1, beat: 0, held: true, runId: "r", durationMs: 1000 };
  const draft = {
    runId: "r",
    step: "model:1",
    place: { kind: "model", phase: "work", turn: 1, attempt: 0 } as const,
    attempt: 1,
    parts: [],
  };
  const settled = await Promise.allSettled([
    store.migrate(),
    store.load("a"),
    store.append("a", 0, [1]),
    store.list(),
    store.delete("a"),
    store.deleteSessions({ owner: "ada" }),
    store.records("a"),
    store.setLease("a", undefined, lease),
    store.setDraft("a", 1, draft),
    store.requestStop("a", 1),
  ]);
  return settled.map((one) => (one.status === "rejected" ? one.reason : undefined));
}

/** All that a person or a log might get to see of an error. */
function seen(error: unknown): string {
  const stack = error instanceof Error ? error.stack : "";
  return `${inspect(error, { depth: 10, showHidden: true })}\n${JSON.stringify(error)}\n${stack}`;
}

describe("a database that cannot be used", () => {
  const secret = "s3cr/et+word";
  const connections = (port: number): Readonly<Record<string, string | ConnectionOptions>> => ({
    "a URL": `postgresql://ada:${encodeURIComponent(secret)}@127.0.0.1:${port}/app`,
    "a URL that is not well written": `postgresql://ada:${secret}@127.0.0.1:${port}/app`,
    settings: { host: "127.0.0.1", port, database: "app", user: "ada", password: secret },
  });

  test("is named without its password, when it does not answer", async () => {
    const { port, close } = await refuse("", "");
    await close();
    const store = new PostgresStore(connections(port)["a URL"] ?? "");
    onTestFinished(() => store.close());
    for (const error of await failuresOf(store)) {
      expect(error).toBeInstanceOf(SessionStoreError);
      expect(error).toMatchObject({
        retryable: true,
        message: expect.stringMatching(
          new RegExp(
            `no database answers at 127\\.0\\.0\\.1:${port}/app \\(ECONNREFUSED\\)\\. ` +
              "Check that Postgres is running and can be reached, then try again$",
          ),
        ),
      });
    }
  });

  test.each(["a URL", "a URL that is not well written", "settings"])(
    "does not tell the password of %s, even when the server says it",
    async (kind) => {
      const server = await refuse("28P01", `password authentication failed for ada with ${secret}`);
      onTestFinished(() => server.close());
      const store = new PostgresStore(connections(server.port)[kind] ?? "");
      onTestFinished(() => store.close());
      for (const error of await failuresOf(store)) {
        expect(error).toBeInstanceOf(AgentError);
        expect(seen(error)).not.toContain(secret);
        expect(seen(error)).not.toContain(encodeURIComponent(secret));
      }
      expect(seen(store)).not.toContain(secret);
    },
  );

  test("says that user and password have to be checked, when it refuses them", async () => {
    const server = await refuse("28P01", 'password authentication failed for user "ada"');
    onTestFinished(() => server.close());
    const store = new PostgresStore(connections(server.port)["a URL"] ?? "");
    onTestFinished(() => store.close());
    await expect(store.load("a")).rejects.toThrow(
      new ConfigurationError(
        `The database at 127.0.0.1:${server.port}/app refused: password authentication failed for user "ada" (28P01). ` +
          "To fix it, check the user and the password.",
      ),
    );
  });

  test.each([
    ["42501", ConfigurationError, "grant the user the right"],
    ["3D000", ConfigurationError, "create the database"],
    ["25006", SessionStoreError, "connect to the primary"],
    ["53100", SessionStoreError, "free some space"],
    ["53300", SessionStoreError, "lower `max`"],
    ["57014", SessionStoreError, "try again"],
    ["XX000", SessionStoreError, "its log cannot be read: words of the server"],
  ])("says what to do about %s", async (code, kind, advice) => {
    place.pool.before = () => {
      throw Object.assign(new Error("words of the server"), { code });
    };
    const error: unknown = await place
      .open()
      .load("a")
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(kind);
    expect(String(error)).toContain(advice);
    expect(String(error)).toContain("words of the server");
  });

  test("that does not answer a query in time is given up", async () => {
    const store = place.open({ timeoutMs: 20 });
    place.pool.before = () => new Promise((resolve) => void setTimeout(resolve, 100));
    await expect(store.load("a")).rejects.toThrow(
      /its log cannot be read: the connection to .* broke or took too long \(no answer within 20 ms\)\. Try again/,
    );
  });

  test("is not asked any more when the store is closed", async () => {
    const store = place.open();
    await store.close();
    await store.close();
    for (const error of await failuresOf(store))
      expect(error).toMatchObject({
        code: "session_store",
        message: expect.stringContaining("the store is closed; open a new one"),
      });
  });
});

describe("a write", () => {
  const collision = Object.assign(new Error("could not serialize access"), { code: "40001" });
  const lost = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
  const isAppend = (sql: string): boolean => sql.includes("session_entries (session");

  /** Throws an error at the first so many appends. */
  function failing(times: number, error: Error): (sql: string) => void {
    let left = times;
    return (sql) => {
      if (isAppend(sql) && left-- > 0) throw error;
    };
  }

  test("that collided with another transaction is made again", async () => {
    const store = place.open();
    place.pool.before = failing(3, collision);
    await store.append("a", 0, [1]);
    expect(await store.load("a")).toEqual([1]);
  });

  test("that keeps colliding is given up in the end", async () => {
    const store = place.open();
    place.pool.before = failing(Infinity, collision);
    await expect(store.append("a", 0, [1])).rejects.toMatchObject({ code: "session_store", retryable: true });
    place.pool.before = () => {};
    expect(await store.load("a")).toEqual([]);
  });

  test("whose connection broke before it is made once", async () => {
    const store = place.open();
    place.pool.before = failing(2, lost);
    await store.append("a", 0, [1]);
    expect(await store.load("a")).toEqual([1]);
  });

  test("whose connection broke after it is not made twice, nor taken for that of another", async () => {
    const store = place.open();
    const lease = { token: 1, beat: 0, held: true, runId: "r", durationMs: 1000 };
    place.pool.after = failing(1, lost);
    await store.append("a", 0, [{ z: 1, a: 2 }, 2], { lease: { expected: undefined, next: lease } });
    place.pool.after = failing(1, lost);
    await store.append("a", 2, [3], { token: 1, lease: { expected: lease, next: { ...lease, held: false } } });
    place.pool.after = failing(1, lost);
    await store.append("a", 3, [], { lease: { expected: { ...lease, held: false }, next: { ...lease, token: 2 } } });
    expect(await store.load("a")).toEqual([{ z: 1, a: 2 }, 2, 3]);
    expect(await store.records("a")).toEqual({ lease: { ...lease, token: 2 } });
  });

  test("whose connection broke is refused when another has written meanwhile", async () => {
    const store = place.open();
    await store.append("a", 0, [1]);
    let broken = false;
    place.pool.before = async (sql) => {
      if (!isAppend(sql) || broken) return;
      broken = true;
      // As another process would, beside the pool's turns.
      place.pool.before = () => {};
      void place.open().append("a", 1, ["theirs"]);
      throw lost;
    };
    await expect(store.append("a", 1, ["mine"])).rejects.toThrow(SessionConflictError);
    expect(await store.load("a")).toEqual<Json[]>([1, "theirs"]);
  });

  test("of a lease whose connection broke after it has changed the lease", async () => {
    const store = place.open();
    const lease = { token: 1, beat: 0, held: true, runId: "r", durationMs: 1000 };
    let left = 1;
    place.pool.after = (sql) => {
      if (sql.includes("lease_token") && left-- > 0) throw lost;
    };
    expect(await store.setLease("a", undefined, lease)).toBe(true);
    expect(await store.setLease("a", undefined, lease)).toBe(false);
    expect(await store.records("a")).toEqual({ lease });
  });
});

test("settings that cannot work are refused at once", () => {
  for (const options of [{ timeoutMs: 0 }, { timeoutMs: Number.NaN }, { pollMs: -1 }, { pollMs: Infinity }])
    expect(() => place.open(options)).toThrow(TypeError);
});
