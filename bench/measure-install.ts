import { execFile } from "node:child_process";
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { figureOf, type Measured, type Row } from "./row.ts";

const execute = promisify(execFile);
const core = join(import.meta.dirname, "../packages/core");

/** A folder with npm packages installed. */
export interface Installed {
  readonly driver: string;
  readonly folder: string;
}

/**
 * Packs the built core, installs it and zod into an empty folder, and counts the result.
 *
 * @param others - Folders of the peers, to be counted as well.
 */
export async function measureInstall(
  others: readonly Installed[],
  progress: (text: string) => void,
): Promise<Measured> {
  progress("install  pollux");
  const folder = mkdtempSync(join(tmpdir(), "pollux-bench-install-"));
  const failed: string[] = [];
  const found: { driver: string; packages: number; MB: number }[] = [];
  try {
    await installCore(folder);
    for (const { driver, folder: place } of [{ driver: "pollux", folder }, ...others])
      found.push({ driver, packages: packagesIn(place), MB: bytesIn(join(place, "node_modules")) / 1e6 });
  } catch (error) {
    failed.push(error instanceof Error ? (error.message.split("\n", 1)[0] ?? "") : String(error));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const rowOf = (of: "packages" | "MB", unit: string, atMost: number): Row => ({
    id: `install-${of}`,
    label: `install with zod, ${of === "MB" ? "size" : "packages"}`,
    unit,
    relation: "own",
    baseline: "",
    targets: [{ driver: "pollux", atMost }],
    figures: found.map((one) => figureOf(one.driver, [one[of]], "own")),
  });
  return {
    rows: failed.length > 0 ? [] : [rowOf("packages", "", 25), rowOf("MB", "MB", 12)],
    absences: failed.map((reason) => ({ rows: ["install"], driver: "pollux", reason, isFailure: true })),
  };
}

async function installCore(folder: string): Promise<void> {
  const { stdout } = await execute("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
    cwd: core,
  });
  const tarball = /"filename":\s*"([^"]+)"/.exec(stdout)?.[1];
  if (tarball === undefined) throw new Error("npm pack named no file.");
  const manifest = JSON.parse(readFileSync(join(core, "node_modules/zod/package.json"), "utf8")) as { version: string };
  const dependencies = { "@pollux/core": `file:${tarball}`, zod: manifest.version };
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module", dependencies }));
  await install(folder);
}

/** `npm install` in a folder with a manifest; install scripts are not run. */
export async function install(folder: string): Promise<void> {
  await execute("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"], {
    cwd: folder,
    timeout: 300_000,
  });
}

/** Packages on disk, each copy counted; optional ones for other platforms are only in the lockfile. */
function packagesIn(folder: string): number {
  const lock = JSON.parse(readFileSync(join(folder, "node_modules/.package-lock.json"), "utf8")) as {
    packages: Readonly<Record<string, unknown>>;
  };
  return Object.keys(lock.packages).length;
}

function bytesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((entry) => lstatSync(join(folder, entry)))
    .reduce((sum, entry) => sum + (entry.isFile() ? entry.size : 0), 0);
}
