/**
 * `pnpm docs:build` and `pnpm docs:dev`: makes the site from the guides and the sources, in `site/dist`.
 *
 * `SITE_BASE` is the path it is served at, `/` by default; `SITE_REPOSITORY` is where the files of this commit can be read, such as
 * `https://host/owner/name/blob/commit`. Without it, the site has copies of the files that its pages link to. `SITE_ROOT` is the path of
 * the current version where this one is an older one, as `build-versions.ts` sets it.
 */
import { spawn, spawnSync } from "node:child_process";
import { rmSync, watch } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readFile, ROOT } from "./src/repository.ts";
import { PAGES, writePages, writeReference } from "./src/write-site.ts";

const folder = fileURLToPath(new URL(".", import.meta.url));
const repositoryUrl = process.env["SITE_REPOSITORY"];

install();
rmSync(PAGES, { recursive: true, force: true });
say("writing the reference");
writeReference();
say("writing the pages");
writePages(repositoryUrl);
if (process.argv[2] === "dev") {
  for (const watched of ["docs", "examples", "README.md"]) watch(join(ROOT, watched), { recursive: true }, rewrite);
  spawn(process.execPath, [vitepress(), "dev"], { cwd: folder, stdio: "inherit" });
} else {
  // Pages are rendered by the hundred: with room for what each leaves behind, a third of the time is not spent on collecting it.
  const program = ["--max-semi-space-size=128", vitepress(), "build"];
  const { status } = spawnSync(process.execPath, program, { cwd: folder, stdio: "inherit" });
  process.exitCode = status ?? 1;
  if (status === 0) say(`built ${join(folder, "dist")}; any static file server can serve it`);
}

/** Installs what builds the site, if the lockfile asks for something else than is there. */
function install(): void {
  const { packageManager } = JSON.parse(readFile("package.json")) as { readonly packageManager: string };
  const args = ["--yes", packageManager, "install", "--frozen-lockfile", "--prefer-offline", "--reporter=append-only"];
  const { status, stdout, stderr } = spawnSync("npx", args, {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, CI: "true", npm_config_loglevel: "error" },
    // A command file on Windows.
    shell: process.platform === "win32",
  });
  if (status !== 0) throw new Error(`what builds the site could not be installed:\n${stdout}${stderr}`);
}

/** Editors write a file while it is open: a page that can't be read right now is written at the next change. */
function rewrite(): void {
  try {
    writePages(repositoryUrl);
  } catch (error) {
    say(String(error));
  }
}

function vitepress(): string {
  return join(dirname(createRequire(import.meta.url).resolve("vitepress/package.json")), "bin/vitepress.js");
}

function say(message: string): void {
  process.stderr.write(`site: ${message}\n`);
}
