import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createEmulator } from "@pollux/emulator";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = join(root, "test/.snippets");

/** Every `ts` block of the pages a user reads, as a program of its own. */
function snippets(): { name: string; code: string }[] {
  const guides = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".md"),
  );
  const pages = [
    "README.md",
    "packages/core/README.md",
    "packages/tools/README.md",
    "packages/emulator/README.md",
    "packages/cli/README.md",
    ...guides.map((file) => `docs/${file}`),
  ];
  return pages.flatMap((page) => {
    const blocks = readFileSync(join(root, page), "utf8").matchAll(/^```ts\n([\s\S]*?)^```$/gm);
    return [...blocks].map(([, code = ""], index) => ({
      name: `${page.replaceAll(/[^\w]+/g, "-")}-${index + 1}`,
      code,
    }));
  });
}

const all = snippets();
const emulator = createEmulator();
let server: Awaited<ReturnType<typeof emulator.listen>>;

beforeAll(async () => {
  server = await emulator.listen();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  // A file for those that read one.
  copyFileSync(join(root, "README.md"), join(folder, "README.md"));
  for (const { name, code } of all) writeFileSync(join(folder, `${name}.ts`), `${code}export {};\n`);
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      extends: "../../tsconfig.base.json",
      compilerOptions: { noEmit: true, rootDir: "../.." },
      include: ["*.ts"],
    }),
  );
});

afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("the snippets of README and docs", () => {
  test("there are some", () => {
    expect(all.length).toBeGreaterThan(8);
  });

  test("all of them compile under the strictest settings", { timeout: 60_000 }, async () => {
    const { stdout } = await run("tsc", ["-p", folder]).catch((error: unknown) => error as { stdout: string });
    expect(stdout).toBe("");
  });

  test.concurrent.for(all)("$name runs", { timeout: 30_000 }, async ({ name }) => {
    const { GOOGLE_API_KEY: _g, GEMINI_API_KEY: _m, ...rest } = process.env;
    // Where npm puts the commands of installed packages for the scripts it runs.
    const PATH = [join(root, "packages/tools/node_modules/.bin"), rest["PATH"]].join(delimiter);
    const env = { ...rest, PATH, GOOGLE_GEMINI_BASE_URL: server.url, COMETAPI_KEY: "not-used" };
    await run(process.execPath, ["--conditions=pollux-source", join(folder, `${name}.ts`)], {
      cwd: folder,
      env,
      timeout: 20_000,
    });
  });
});
