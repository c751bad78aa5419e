import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { startPostgres } from "../../packages/dbos/test/support/postgres.ts";
import { restateBinary, startRestate } from "../../packages/restate/test/support/restate-server.ts";

const folder = fileURLToPath(new URL("../../examples/engines/", import.meta.url));
const ANSWER = "finished after 2 turns: [emulated] get_weather says city Oslo, celsius 9, rain true.\n";

const running = new Set<ChildProcess>();

afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
});

interface Program {
  readonly output: () => string;
  /** Resolves with what the program has printed when that matches. */
  until(pattern: RegExp): Promise<string>;
  /** Resolves with all that the program printed when it has ended well. */
  ended(): Promise<string>;
  kill(): void;
}

/** Starts one of the example's programs, without keys, so that the emulator answers. */
function start(file: string, args: readonly string[], more: Readonly<Record<string, string>> = {}): Program {
  const { GOOGLE_API_KEY: _g, GEMINI_API_KEY: _m, COMETAPI_KEY: _c, GOOGLE_GEMINI_BASE_URL: _b, ...rest } = process.env;
  const child = spawn(process.execPath, ["--conditions=pollux-source", folder + file, ...args], {
    env: { ...rest, NO_COLOR: "1", ...more },
    timeout: 60_000,
  });
  running.add(child);
  let output = "";
  const heard = new Set<() => void>();
  const hear = (data?: Buffer): void => {
    output += data?.toString() ?? "";
    for (const listener of heard) listener();
  };
  child.stdout.on("data", hear);
  child.stderr.on("data", hear);
  let code: number | null | undefined;
  child.on("close", (ending) => {
    running.delete(child);
    code = ending;
    hear();
  });
  const when = (holds: () => boolean): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (holds()) resolve(output);
        else if (code !== undefined) reject(new Error(`${file} ended with ${code}:\n${output}`));
        else return;
        heard.delete(look);
      };
      heard.add(look);
      look();
    });
  return {
    output: () => output,
    until: (pattern) => when(() => pattern.test(output)),
    ended: () => when(() => code === 0),
    kill: () => void child.kill("SIGKILL"),
  };
}

test("one agent file on one machine", { timeout: 60_000 }, async () => {
  const place = mkdtempSync(join(tmpdir(), "pollux-engines-"));
  try {
    const file = join(place, "trips.sqlite");
    const output = await start("one-machine.ts", ["trip-1", file]).ended();
    expect(output.replace(/key \S+\//, "key RUN/")).toBe(`get_weather Oslo, key RUN/call:1.0\n${ANSWER}`);
  } finally {
    rmSync(place, { recursive: true });
  }
});

test.skipIf(restateBinary() === undefined)(
  "the same file on Restate, with two workers of which one dies",
  { timeout: 90_000 },
  async () => {
    const server = await startRestate();
    try {
      const env = { RESTATE_INGRESS: server.ingress, RESTATE_ADMIN: server.admin };
      const first = start("restate-worker.ts", [], { ...env, PORT: "0" });
      const [, port] = /ready on (\d+)/.exec(await first.until(/ready on \d+/)) ?? [];
      expect(await start("restate-ask.ts", ["trip-1"], env).ended()).toBe(ANSWER);
      expect(first.output()).toContain("get_weather Oslo, key trip-1/call:1.0\n");
      // Asked again, it is found again.
      expect(await start("restate-ask.ts", ["trip-1"], env).ended()).toBe(ANSWER);
      expect(first.output().match(/key trip-1/g)).toHaveLength(1);

      const balancer = start("balancer.ts", ["0", String(port)]);
      const [, shared] = /listening on (\d+)/.exec(await balancer.until(/listening on \d+/)) ?? [];
      const second = start("restate-worker.ts", [], { ...env, PORT: "0", WORKERS: `http://127.0.0.1:${shared}` });
      await second.until(/ready on/);
      const asked = start("restate-ask.ts", ["trip-2"], env);
      await first.until(/key trip-2/);
      // The call is under way: it is made again, with the same key, by whoever stands behind the address then.
      first.kill();
      const third = start("restate-worker.ts", [], { ...env, PORT: String(port) });
      expect(await asked.ended()).toBe(ANSWER);
      expect(third.output()).toContain("get_weather Oslo, key trip-2/call:1.0\n");
    } finally {
      await server.stop();
    }
  },
);

test("the same file on DBOS, with two workers of which one dies", { timeout: 120_000 }, async () => {
  const postgres = await startPostgres("pglite");
  try {
    const env = { DBOS_SYSTEM_DATABASE_URL: postgres.url(), PGLITE: "1", DEAD_AFTER_MS: "3000" };
    const workers = [start("dbos-worker.ts", [], env), start("dbos-worker.ts", [], env)];
    await Promise.all(workers.map((worker) => worker.until(/is ready/)));
    const asked = start("dbos-ask.ts", ["trip-1"], env);
    const busy = await Promise.race(workers.map(async (worker) => worker.until(/key trip-1/).then(() => worker)));
    busy.kill();
    expect(await asked.ended()).toBe(ANSWER);
    const other = workers.find((worker) => worker !== busy);
    expect(other?.output()).toContain("get_weather Oslo, key trip-1/call:1.0\n");
    expect(await start("dbos-ask.ts", ["trip-1"], env).ended()).toBe(ANSWER);
  } finally {
    for (const child of running) child.kill("SIGKILL");
    await postgres.close();
  }
});
