import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { declareDead } from "../../packages/dbos/test/support/declare-dead.ts";
import { startPostgres } from "../../packages/dbos/test/support/postgres.ts";
import { restateBinary, startRestate } from "../../packages/restate/test/support/restate-server.ts";
import { freePort } from "../support/free-ports.ts";
import { withoutKeys } from "./run-example.ts";

const folder = fileURLToPath(new URL("../../examples/engines/", import.meta.url));
/** Delay of a call whose worker is killed midway, so that it can't end before. */
const NEVER_ENDS = { TAKES_MS: "600000" };
const ANSWER =
  "finished after 2 turns: Weather in Oslo: 9 °C, rain. (This is the local emulator; no model wrote this.)\n";

const running = new Set<ChildProcess>();

afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
});

interface Program {
  readonly output: () => string;
  /** Resolves with the program's output once it matches. */
  until(pattern: RegExp): Promise<string>;
  /** Resolves with the whole output when the program has succeeded. */
  ended(): Promise<string>;
  /** Resolves when it is gone. */
  kill(): Promise<void>;
}

/** Starts one of the example's programs, without keys, so that the emulator answers. */
function start(file: string, args: readonly string[], more: Readonly<Record<string, string>> = {}): Program {
  const child = spawn(process.execPath, ["--conditions=pollux-source", folder + file, ...args], {
    env: { ...withoutKeys(), ...more },
    timeout: 240_000,
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
  const closed = new Promise<void>((resolve) => {
    child.on("close", (ending) => {
      running.delete(child);
      code = ending;
      hear();
      resolve();
    });
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
    kill: async () => {
      child.kill("SIGKILL");
      await closed;
    },
  };
}

test("one agent file on one machine", async () => {
  const place = mkdtempSync(join(tmpdir(), "pollux-engines-"));
  try {
    const file = join(place, "trips.sqlite");
    const output = await start("one-machine.ts", ["trip-1", file]).ended();
    expect(output.replace(/key \S+\//, "key RUN/")).toBe(`get_weather Oslo, key RUN/call:1.0\n${ANSWER}`);
  } finally {
    rmSync(place, { recursive: true });
  }
});

test.skipIf(restateBinary() === undefined)("the same file on Restate, with two workers of which one dies", async () => {
  const server = await startRestate();
  try {
    const env = { RESTATE_INGRESS: server.ingress, RESTATE_ADMIN: server.admin };
    const first = start("restate-worker.ts", [], { ...env, PORT: String(await freePort()) });
    const [, port] = /ready on (\d+)/.exec(await first.until(/ready on \d+/)) ?? [];
    expect(await start("restate-ask.ts", ["trip-1"], env).ended()).toBe(ANSWER);
    await first.until(/get_weather Oslo, key trip-1\/call:1\.0\n/);
    // A repeated request finds it again.
    expect(await start("restate-ask.ts", ["trip-1"], env).ended()).toBe(ANSWER);
    expect(first.output().match(/key trip-1/g)).toHaveLength(1);

    await first.kill();
    const victim = start("restate-worker.ts", [], { ...env, ...NEVER_ENDS, PORT: String(port) });
    await victim.until(/ready on/);
    const balancer = start("balancer.ts", ["0", String(port)]);
    const [, shared] = /listening on (\d+)/.exec(await balancer.until(/listening on \d+/)) ?? [];
    const second = start("restate-worker.ts", [], { ...env, PORT: "0", WORKERS: `http://127.0.0.1:${shared}` });
    await second.until(/ready on/);
    const asked = start("restate-ask.ts", ["trip-2"], env);
    await victim.until(/key trip-2/);
    // The call is in progress: the next process behind the address repeats it, with the same key.
    await victim.kill();
    const third = start("restate-worker.ts", [], { ...env, PORT: String(port) });
    expect(await asked.ended()).toBe(ANSWER);
    await third.until(/get_weather Oslo, key trip-2\/call:1\.0\n/);
  } finally {
    await server.stop();
  }
});

test("the same file on DBOS, with a worker that dies and another one", async () => {
  const postgres = await startPostgres("pglite");
  try {
    const env = { DBOS_SYSTEM_DATABASE_URL: postgres.url(), PGLITE: "1", DEAD_AFTER_MS: "3600000" };
    const victim = start("dbos-worker.ts", [], { ...env, ...NEVER_ENDS });
    const [, name = ""] = /^(\S+) is ready$/m.exec(await victim.until(/ is ready$/m)) ?? [];
    const asked = start("dbos-ask.ts", ["trip-1"], env);
    await victim.until(/key trip-1/);
    await victim.kill();
    await declareDead(postgres.url(), name);
    const other = start("dbos-worker.ts", [], env);
    expect(await asked.ended()).toBe(ANSWER);
    await other.until(/get_weather Oslo, key trip-1\/call:1\.0\n/);
    expect(await start("dbos-ask.ts", ["trip-1"], env).ended()).toBe(ANSWER);
  } finally {
    for (const child of running) child.kill("SIGKILL");
    await postgres.close();
  }
});
