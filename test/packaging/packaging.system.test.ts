import { execFile, execFileSync, spawn } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { INSTALL_BUDGET } from "../../scripts/package-size.ts";
import { npmInstall, tarballOf, TOOL_PEERS, ZOD } from "../support/npm-install.ts";
import { withoutKeys } from "../examples/run-example.ts";
import { programFile, programVersion } from "../support/programs.ts";
import * as programs from "./programs.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
const packed = inject("packed");

const MEGABYTE = 1024 * 1024;
const machineNode = findMachineNode();

let folder: string;
let app: string;
/** An installation of `npm install @pollux/core zod` alone. */
let small: { readonly packages: readonly string[]; readonly bytes: number };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pollux-packaging-"));
  app = join(folder, "app");
  mkdirSync(app);
  writeFileSync(join(app, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));

  await npmInstall(app, [tarballOf(packed, "@pollux/core"), ZOD]);
  small = { packages: installedPackages(), bytes: sizeOf(join(app, "node_modules")) };
  const others = [
    "@pollux/emulator",
    "@pollux/tools",
    "@pollux/cli",
    "@pollux/engine",
    "@pollux/restate",
    "@pollux/conformance",
    "@pollux/evals",
    "@pollux/dbos",
    "@pollux/postgres",
    "@pollux/web",
    "@pollux/inspector",
    "@pollux/interactions",
    "@pollux/otel",
    "@pollux/react",
    "create-pollux",
  ];
  await npmInstall(app, [...others.map((name) => tarballOf(packed, name)), ...TOOL_PEERS]);
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Files that a package may contain. */
const PUBLISHED =
  /^(dist\/.+\.(js|d\.ts)|dist\/THIRD-PARTY\.txt|dist\/page\/(index\.html|.+\.(css|svg))|styles\.css|docs\/[\w-]+\.md|templates\/.+|package\.json|README\.md|LICENSE)$/;

/** Files that may mention sources and workspaces, since they mean the user's own; create-pollux writes them. */
const ABOUT_OTHERS = /^(docs\/|templates\/|dist\/project-files\.js$)/;

describe("the packed files", () => {
  test("hold the build, its license, guides and templates, and nothing of the sources", () => {
    for (const { name, files } of packed) {
      expect(
        files.filter((path) => !PUBLISHED.test(path)),
        name,
      ).toEqual([]);
      expect(files).toEqual(expect.arrayContaining(["package.json", "LICENSE"]));
    }
  });

  test("name no source file, no source condition and no workspace version", () => {
    for (const { name, files } of packed) {
      for (const path of files.filter((each) => !ABOUT_OTHERS.test(each))) {
        const text = readFileSync(join(app, "node_modules", name, path), "utf8");
        const leaks = text.match(/pollux-source|["'](?:workspace|catalog):|sourceMappingURL|["'](?:\.\.?\/)+src\//g);
        expect(leaks, `${name}/${path}`).toBeNull();
      }
    }
  });

  test("have every file that `exports` and `bin` point to", () => {
    for (const { name, files } of packed) {
      const manifest = JSON.parse(readFileSync(join(app, "node_modules", name, "package.json"), "utf8")) as unknown;
      const { exports, bin } = manifest as { exports: unknown; bin?: unknown };
      const targets = JSON.stringify([exports, bin ?? {}]).match(/"\.\/(?:dist\/[^"]+|package\.json)"/g) ?? [];
      expect(targets.length, name).toBeGreaterThan(1);
      expect(
        targets.map((target) => target.slice(3, -1)).filter((path) => !files.includes(path)),
        name,
      ).toEqual([]);
    }
  });
});

describe("the program pollux, installed in a folder of its own", () => {
  test("explains itself, and each command", async () => {
    const byNpx = await pollux(["--version"], { command: ["npx", "--no-install", "pollux"] });
    expect(byNpx).toEqual({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), err: "" });
    for (const args of [["--help"], ["chat", "--help"], ["session", "--help"], ["emulator", "--help"]])
      expect(await pollux(args)).toEqual({ code: 0, out: expect.stringMatching(/^Usage: pollux /), err: "" });
    expect(await pollux(["chta"])).toMatchObject({ code: 2, err: expect.stringContaining('unknown command "chta"') });
  });

  test("chats with the emulator, keeps the conversation, and finds it in order", async () => {
    const { code, out } = await pollux(["chat", "--session", "trip", "--tools", "files,time,calculator"], {
      input: "Hello.\n/exit\n",
    });
    expect(out).toMatch(
      /No API key is set, so a local emulator answers[\s\S]*\(This is the local emulator[\s\S]*tokens in 1 request\n$/,
    );
    expect(code).toBe(0);
    expect(await pollux(["session", "check", "pollux-chats.sqlite"])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^session trip: ok, \d+ entries\n$/),
    });
    expect((await pollux(["session", "show", "pollux-chats.sqlite"])).out).toMatch(/^Session trip: 1 run/);
  });
});

describe("core and zod alone", () => {
  test(`install at most ${INSTALL_BUDGET.packages} packages`, () => {
    expect(small.packages).toEqual(expect.arrayContaining(["@pollux/core", "zod"]));
    expect(small.packages.length, small.packages.join(" ")).toBeLessThanOrEqual(INSTALL_BUDGET.packages);
  });

  test(`take at most ${INSTALL_BUDGET.megabytes} MB`, () => {
    expect(small.bytes / MEGABYTE).toBeLessThanOrEqual(INSTALL_BUDGET.megabytes);
  });
});

const nodes: readonly (readonly [string, string | undefined])[] = [
  ["Node 24", process.execPath],
  ["the machine's own Node", machineNode],
];

describe.each(nodes)("on %s", (_title, node) => {
  // The machine may have no Node, or an unsupported one.
  const testOnNode = test.skipIf(node === undefined);

  testOnNode.each([
    ["an ES module", "hello.mjs", programs.HELLO_MODULE],
    ["a CommonJS file that requires it", "hello.cjs", programs.HELLO_COMMONJS],
  ])("%s runs an agent with a tool against the emulator", async (_kind, file, source) => {
    const { stdout, stderr } = await runProgram(node ?? "", file, source);
    expect(stderr).toBe("");
    const { stopReason, city, text } = JSON.parse(stdout) as Record<string, unknown>;
    expect({ stopReason, city, text }).toEqual({
      stopReason: "finished",
      city: expect.any(String),
      text: expect.stringMatching(/\w/),
    });
  });

  testOnNode("importing core loads no Node built-in, no logger and no zod 3 converter", async () => {
    writeFileSync(join(app, "loader.mjs"), programs.RECORDING_LOADER);
    writeFileSync(join(app, "record.mjs"), programs.REGISTER_LOADER);
    const list = join(folder, "loaded.txt");
    writeFileSync(list, "");
    await runProgram(node ?? "", "import-core.mjs", `import "@pollux/core";`, ["--import", "./record.mjs"], {
      LOADED: list,
    });

    const loaded = readFileSync(list, "utf8").trim().split("\n");
    expect(loaded.some((url) => url.endsWith("@pollux/core/dist/index.js"))).toBe(true);
    expect(loaded.filter((url) => /^node:|\/node_modules\/(pino|zod-to-json-schema|msw)\//.test(url))).toEqual([]);
  });
});

const compilers: readonly (readonly [string, string])[] = [
  [
    `TypeScript ${programVersion("typescript-5")}, the oldest that is supported`,
    programFile("typescript-5", "bin/tsc"),
  ],
  ["the TypeScript of the workspace", join(root, "node_modules/typescript/bin/tsc")],
];

test.each(compilers)("a strict program compiles against the packed types with %s", async (_title, tsc) => {
  writeFileSync(join(app, "program.ts"), programs.TYPED_PROGRAM);
  writeFileSync(
    join(app, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: {
        target: "ES2023",
        lib: ["ES2023", "ESNext.Disposable", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
        types: [],
        module: "NodeNext",
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        skipLibCheck: false,
        noEmit: true,
      },
      files: ["program.ts"],
    }),
  );
  const { stdout } = await run(process.execPath, [tsc, "-p", "."], { cwd: app }).catch(
    (error: unknown) => error as { stdout: string },
  );
  expect(stdout).toBe("");
});

/**
 * What an editor does again with each key. Without the packages' own types, which it checks once. The oldest TypeScript counts a third more
 * than 5.9, with which the largest of these examples takes 9,841.
 */
const MAX_INSTANTIATIONS = 13_900;

describe("against the packed types, few type instantiations are what it costs to check", () => {
  // It reads the packages' types once for all examples.
  const ts = createRequire(import.meta.url)(programFile("typescript-5", "lib/typescript.js")) as TypeScript5; // as installed
  const { options } = ts.convertCompilerOptionsFromJson(
    {
      target: "ES2023",
      lib: ["ES2023", "ESNext.Disposable", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
      types: ["node"],
      typeRoots: [join(root, "node_modules/@types")],
      module: "NodeNext",
      strict: true,
      skipLibCheck: true,
      noEmit: true,
      allowImportingTsExtensions: true,
    },
    root,
  );
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile;
  const sources = new Map<string, unknown>();
  host.getSourceFile = (file, ...how) => {
    if (!sources.has(file)) sources.set(file, read(file, ...how));
    return sources.get(file);
  };

  test.each(["01-text", "07-function-calling", "14-record-and-replay", "25-decisions"])("the example %s", (name) => {
    const file = join(app, `${name}.ts`);
    copyFileSync(join(root, "examples", `${name}.ts`), file);
    const program = ts.createProgram([file], options, host);
    expect(ts.getPreEmitDiagnostics(program).map(({ messageText }) => messageText)).toEqual([]);
    const count = program.getInstantiationCount();
    // A count of 0 would be within any budget.
    expect(count).toBeGreaterThan(1_000);
    expect(count).toBeLessThanOrEqual(MAX_INSTANTIATIONS);
  });
});

/** What is used of a TypeScript in test/programs, which has its types only where it is installed. */
interface TypeScript5 {
  convertCompilerOptionsFromJson(json: object, folder: string): { readonly options: object };
  createCompilerHost(options: object): CompilerHost;
  createProgram(files: readonly string[], options: object, host: CompilerHost): CheckedProgram;
  getPreEmitDiagnostics(program: CheckedProgram): readonly { readonly messageText: unknown }[];
}

interface CompilerHost {
  getSourceFile: (file: string, ...how: readonly unknown[]) => unknown;
}

interface CheckedProgram {
  getInstantiationCount(): number;
}

/** Runs the program like a user, without keys in the environment. */
async function pollux(
  args: readonly string[],
  {
    command = ["node_modules/.bin/pollux"],
    input = "",
  }: { readonly command?: readonly string[]; readonly input?: string } = {},
): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const { NODE_OPTIONS: _options, POLLUX_LOG: _log, ...env } = withoutKeys();
  const [program = "", ...before] = command;
  const child = spawn(program, [...before, ...args], {
    cwd: app,
    env: { ...env, npm_config_loglevel: "error", NODE_NO_WARNINGS: "1" },
  });
  const written = { out: "", err: "" };
  child.stdout.on("data", (data: Buffer) => (written.out += data.toString()));
  child.stderr.on("data", (data: Buffer) => (written.err += data.toString()));
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, ...written };
}

async function runProgram(
  node: string,
  file: string,
  source: string,
  flags: readonly string[] = [],
  variables: NodeJS.ProcessEnv = {},
): Promise<{ stdout: string; stderr: string }> {
  writeFileSync(join(app, file), source);
  const { NODE_OPTIONS: _options, POLLUX_LOG: _log, ...env } = process.env;
  return await run(node, [...flags, file], { cwd: app, env: { ...env, ...variables }, timeout: 120_000 });
}

/** Names of all packages below `node_modules`, at any depth. */
function installedPackages(): readonly string[] {
  const lock = JSON.parse(readFileSync(join(app, "node_modules/.package-lock.json"), "utf8")) as { packages: object };
  return Object.keys(lock.packages).map((path) =>
    path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length),
  );
}

function sizeOf(path: string): number {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

/** The first Node on the path that is not this repository's, when the packages support it (20.19 or later). */
function findMachineNode(): string | undefined {
  for (const directory of (process.env["PATH"] ?? "").split(delimiter)) {
    if (directory.includes("node_modules")) continue;
    const program = join(directory, "node");
    try {
      const [major = 0, minor = 0] = execFileSync(program, ["-p", "process.versions.node"], { encoding: "utf8" })
        .split(".")
        .map(Number);
      return major > 20 || (major === 20 && minor >= 19) ? program : undefined;
    } catch {
      // no Node in this directory
    }
  }
  return undefined;
}
