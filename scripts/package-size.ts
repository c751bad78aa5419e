import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Size of a package in bytes. */
export interface PackageSize {
  /** The tarball that is downloaded. */
  readonly packed: number;
  /** Size on disk after installation, without dependencies. */
  readonly unpacked: number;
}

/** Size limit of each package, about a fifth above its current size. Exceeding it is an accident, or needs a new number here. */
const BUDGETS: Readonly<Record<string, PackageSize>> = {
  "@pollux/cli": { packed: 31_000, unpacked: 108_000 },
  "@pollux/core": { packed: 490_000, unpacked: 1_680_000 },
  "@pollux/dbos": { packed: 33_000, unpacked: 105_000 },
  "@pollux/emulator": { packed: 264_000, unpacked: 880_000 },
  "@pollux/inspector": { packed: 215_000, unpacked: 700_000 },
  "@pollux/otel": { packed: 28_000, unpacked: 95_000 },
  "@pollux/postgres": { packed: 28_000, unpacked: 92_000 },
  "@pollux/restate": { packed: 28_000, unpacked: 90_000 },
  "@pollux/tools": { packed: 200_000, unpacked: 640_000 },
  "@pollux/web": { packed: 75_000, unpacked: 265_000 },
};

/** Measures a tarball. */
export function sizeOfPackage(tarball: string): PackageSize {
  const folder = mkdtempSync(join(tmpdir(), "pollux-package-size-"));
  try {
    const tar = spawnSync("tar", ["-xzf", tarball, "-C", folder], { encoding: "utf8" });
    if (tar.status !== 0) throw new Error(`${tarball} could not be unpacked: ${tar.error?.message ?? tar.stderr}`);
    const unpacked = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
    return { packed: statSync(tarball).size, unpacked };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Packages over budget, as sentences; a package without a budget is a problem too. */
export function sizeProblems(
  name: string,
  size: PackageSize,
  budgets: Readonly<Record<string, PackageSize>> = BUDGETS,
): readonly string[] {
  const budget = budgets[name];
  if (budget === undefined) return [`${name} has no budget: add one in scripts/package-size.ts`];
  return (["packed", "unpacked"] as const)
    .filter((kind) => size[kind] > budget[kind])
    .map((kind) => `${name} has ${size[kind]} bytes ${kind}, and its budget is ${budget[kind]}`);
}
