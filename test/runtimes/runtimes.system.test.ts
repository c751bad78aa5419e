import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createEmulator } from "@pollux/emulator";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { openWorld } from "../support/world.ts";
import * as expected from "./expected.ts";
import { service } from "./programs/service.ts";
import { type Application, installApplication } from "./support/application.ts";
import { bundleFor, type Target } from "./support/bundle-for.ts";
import { type Chromium, openChromium } from "./support/chromium.ts";
import { importsOf, variableImports } from "./support/imports-of.ts";
import { NODE_20, NODE_24, NODE_LIKES, type NodeLike, runCommand } from "./support/node-likes.ts";
import { openPages, openSite, type Site } from "./support/site.ts";
import { runInWorkerd } from "./support/workerd.ts";

/** The tasks of the runtimes. `place` is the address of their service. */
const TASKS = {
  core: { imports: `import { useCore } from "./use-core.js";`, report: "useCore(place)" },
  "core's Node door": { imports: `import { useNodeDoor } from "./use-node-door.js";`, report: "useNodeDoor(place)" },
  "web tools": { imports: `import { useWebTools } from "./use-web-tools.js";`, report: "useWebTools(place)" },
  "machine tools": {
    imports: `import { useMachineTools } from "./use-machine-tools.js";`,
    report: "useMachineTools(place, process.argv.slice(3))",
  },
  "the emulator": {
    imports: `
      import { createEmulator } from "@pollux/emulator";
      import { service } from "./service.js";
      import { useCore } from "./use-core.js";`,
    report: `useCore("http://127.0.0.1:1", createEmulator(service()).fetch)`,
  },
  "the emulator's server": {
    imports: `
      import { createEmulator } from "@pollux/emulator";
      import { service } from "./service.js";
      import { useCore } from "./use-core.js";
      async function useServer() {
        const server = await createEmulator(service()).listen();
        const report = await useCore(server.url);
        await server.close();
        return report;
      }`,
    report: "useServer()",
  },
} as const;

type Task = keyof typeof TASKS;

let app: Application;
/** With the versions of our dependencies for Node 20. */
let oldApp: Application;
let site: Site;
beforeAll(async () => {
  [app, oldApp, site] = await Promise.all([installApplication(NODE_24), installApplication(NODE_20), openSite()]);
});
afterAll(async () => {
  app.remove();
  oldApp.remove();
  await site[Symbol.asyncDispose]();
});

describe.each(NODE_LIKES)("$title", ({ confined, free }) => {
  const isNode20 = free[0] === NODE_20;
  const home = (): Application => (isNode20 ? oldApp : app);
  const run = async (task: Task, command: NodeLike["free"], args: readonly string[], env?: NodeJS.ProcessEnv) => {
    const { imports, report } = TASKS[task];
    const source = `${imports}\nconst place = process.argv[2];\nconsole.log(JSON.stringify(await ${report}));\n`;
    const file = home().add(`run-${task.replaceAll(/\W/g, "-")}.js`, source);
    return await runCommand(command, [file, ...args], env);
  };

  test("runs core with no right but to reach servers and to read the environment", async () => {
    await using world = await openWorld(service());
    expect(await run("core", confined, [world.url])).toEqual({ report: expected.CORE, stderr: [] });
    // The service has no aborted request anymore.
    await expect
      .poll(() => world.emulator.requests.filter(({ answered }) => answered.complete === false))
      .toHaveLength(1);
  });

  test("logs through pino to standard error", async () => {
    await using world = await openWorld(service());
    const { report, stderr } = await run("core", free, [world.url], { POLLUX_LOG: "warn" });
    expect(report).toEqual(expected.CORE);
    expect(stderr.map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({
        level: 40,
        name: "pollux",
        hostname: expect.any(String),
        msg: "request failed, retrying",
      }),
    ]);
  });

  test("runs what is behind core's Node door", async () => {
    await using world = await openWorld(service());
    const { report } = await run("core's Node door", free, [world.url]);
    expect(report).toEqual(isNode20 ? expected.NODE_DOOR_ON_NODE_20 : expected.NODE_DOOR);
  });

  test("runs the tools", async () => {
    expect((await run("web tools", confined, [site.url])).report).toEqual(expected.WEB_TOOLS);
    const stdio = [...free, home().add("run-stdio.js", `import "./serve-stdio.js";`)];
    const { report } = await run("machine tools", free, [site.url, ...stdio]);
    expect(withoutAddress(report)).toEqual(isNode20 ? expected.MACHINE_TOOLS_ON_NODE_20 : expected.MACHINE_TOOLS);
  });

  test.each(["the emulator", "the emulator's server"] as const)("runs %s", async (task) => {
    expect((await run(task, free, [])).report).toEqual(expected.CORE);
  });

  test("runs the emulator's command", async () => {
    const command = join(home().folder, "node_modules/@pollux/cli/dist/main.js");
    const [program = "", ...flags] = free;
    const child = spawn(program, [...flags, command, "emulator", "--port", "0"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(child, "exit");
    try {
      const url = await new Promise<string>((resolve, reject) => {
        let said = "";
        child.stdout.setEncoding("utf8").on("data", (text: string) => {
          said += text;
          const address = /at (http:\S+)/.exec(said)?.[1];
          if (address !== undefined) resolve(address);
        });
        child.once("error", reject).once("exit", () => reject(new Error(`it ended; it said: ${said}`)));
      });
      expect((await fetch(`${url}/v1beta/models?key=k`)).status).toBe(200);
      child.kill("SIGTERM");
      expect(await ended).toEqual([0, null]);
    } finally {
      child.kill("SIGKILL");
    }
  });
});

test("only the program pollux imports what a variable names, and no entry leads there", () => {
  const found = inject("packed").flatMap((each) => variableImports(each.tarball));
  expect(found).toEqual([
    { file: "@pollux/cli/dist/main/emulator.js", isReachable: false },
    { file: "@pollux/cli/dist/main/import-file.js", isReachable: false },
  ]);
});

test.each([
  ["import(name);", true],
  ['async () => await import("p-" + name);', true],
  ['import("p-retry"); export * from "./a.js"; import b from "#b";', false],
  ['"import(name)"; // import(name)', false],
])("%s imports what a variable names: %s", (code, isVariable) => {
  expect(importsOf(code).isVariable).toBe(isVariable);
});

/** Bundles a task's code, wrapped by `wrap`. */
async function bundle(target: Target, task: Task, wrap: (report: string) => string) {
  const { imports, report } = TASKS[task];
  const name = `${target}-${task}.js`.replaceAll(/[^\w.]/g, "-");
  return await bundleFor(target, app.add(name, `${imports}\n${wrap(report)}`));
}

describe("workerd", () => {
  const worker = (report: string): string => `
    export default {
      async fetch(request) {
        const place = new URL(request.url).searchParams.get("place");
        try {
          return Response.json(await ${report});
        } catch (error) {
          return new Response(String(error?.stack ?? error), { status: 500 });
        }
      },
    };`;
  const run = async (task: Task, place: string, flags: readonly string[] = []): Promise<unknown> => {
    const target = flags.includes("nodejs_compat") ? "worker with Node's modules" : "worker";
    const made = await bundle(target, task, worker);
    expect(made.warnings).toEqual([]);
    return await runInWorkerd(made, `place=${encodeURIComponent(place)}`, flags);
  };

  test("runs core", async () => {
    await using server = await createEmulator(service()).listen();
    expect(await run("core", server.url)).toEqual(expected.CORE);
  });

  test("runs the tools for the web", async () => {
    expect(await run("web tools", site.url)).toEqual(expected.WEB_TOOLS);
  });

  test("runs the emulator, with Node's modules", async () => {
    expect(await run("the emulator", "", ["nodejs_compat"])).toEqual(expected.CORE);
  });

  test("refuses an import of a variable, as it would in a package of ours", async () => {
    const made = await bundle(
      "worker",
      "core",
      (report) => `${worker(report)} export const load = (name) => import(name);`,
    );
    await expect(runInWorkerd(made, "")).rejects.toMatchObject({ code: "ERR_MODULE_DYNAMIC_SPEC" });
  });
});

describe("Chromium", () => {
  let chromium: Chromium;
  beforeAll(async () => {
    chromium = await openChromium();
  });
  afterAll(() => chromium[Symbol.asyncDispose]());

  const run = async (task: Task, place: string): Promise<unknown> => {
    const made = await bundle(
      "page",
      task,
      (report) => `const place = new URLSearchParams(location.search).get("place");\nwindow.report = await ${report};`,
    );
    expect({ warnings: made.warnings, external: made.external }).toEqual({ warnings: [], external: [] });
    await using pages = await openPages(
      `<!doctype html><meta charset="utf-8"><title>${task}</title><script type="module" src="/${made.entry}"></script>`,
      made.files,
    );
    return await chromium.reportOf(`${pages.url}/?place=${encodeURIComponent(place)}`);
  };

  test("runs core in a page, which talks to an emulator of another origin", async () => {
    await using world = await openWorld(service());
    expect(await run("core", world.url)).toEqual(expected.CORE);
    await expect
      .poll(() => world.emulator.requests.filter(({ answered }) => answered.complete === false))
      .toHaveLength(1);
  });

  test("runs the tools for the web in a page", async () => {
    expect(await run("web tools", site.url)).toEqual(expected.WEB_TOOLS_IN_A_PAGE);
  });
});

test("the README names the versions of Node that ran here", () => {
  const page = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const majors = NODE_LIKES.flatMap(({ free }) => {
    const version = execFileSync(free[0] ?? "", ["--version"], { encoding: "utf8" });
    return /^v(\d+)/.exec(version)?.[1] ?? [];
  });
  expect(page).toContain(`on Node ${majors.slice(0, -1).join(", ")} and ${majors.at(-1)}, and in Chromium`);
});

test("the README of the tools lists for each subpath where it ran here", () => {
  const page = readFileSync(new URL("../../packages/tools/README.md", import.meta.url), "utf8");
  const subpathsIn = (line: string): readonly string[] =>
    [...line.matchAll(/`\/([\w-]+)`/g)].map(([, subpath]) => subpath ?? "");
  const rows = page.slice(page.indexOf("| subpaths")).split("\n").slice(2, 4).map(subpathsIn);
  const { fileNotes: _notes, ...machineTools } = expected.MACHINE_TOOLS;
  expect(rows).toEqual([Object.keys(expected.WEB_TOOLS), Object.keys(machineTools)]);
});

/** The site's address differs from run to run. */
function withoutAddress(report: unknown): unknown {
  const { port } = new URL(site.url);
  return JSON.parse(
    JSON.stringify(report).replaceAll(site.url, "http://site").replaceAll(`.example:${port}`, ".example"),
  );
}
