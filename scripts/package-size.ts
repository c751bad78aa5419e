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

/** Limit of each package, with some room. Exceeding one is an accident, or needs a new number here. */
const PACKAGE_BUDGETS: Readonly<Record<string, PackageSize>> = {
  // With what its commands use of core, the emulator and other people's packages.
  "@pollux/cli": { packed: 840_000, unpacked: 2_900_000 },
  "@pollux/conformance": { packed: 25_000, unpacked: 97_000 },
  "@pollux/core": { packed: 795_000, unpacked: 2_680_000 },
  "@pollux/dbos": { packed: 33_000, unpacked: 105_000 },
  "@pollux/emulator": { packed: 270_000, unpacked: 890_000 },
  "@pollux/engine": { packed: 16_000, unpacked: 52_000 },
  "@pollux/evals": { packed: 104_000, unpacked: 320_000 },
  "@pollux/interactions": { packed: 30_000, unpacked: 100_000 },
  "@pollux/inspector": { packed: 275_000, unpacked: 880_000 },
  "@pollux/otel": { packed: 28_000, unpacked: 95_000 },
  "@pollux/postgres": { packed: 28_000, unpacked: 92_000 },
  "@pollux/react": { packed: 55_000, unpacked: 190_000 },
  "@pollux/restate": { packed: 28_000, unpacked: 90_000 },
  "@pollux/tools": { packed: 266_000, unpacked: 840_000 },
  "@pollux/web": { packed: 134_000, unpacked: 455_000 },
  "create-pollux": { packed: 27_000, unpacked: 90_000 },
};

/** What an agent with one tool may add to zod in a bundle, in bytes, minified, without chunks that are only loaded later. */
export const BUNDLE_BUDGET: { readonly minified: number; readonly gzipped: number } = {
  minified: 305_000,
  gzipped: 112_000,
};

/** What `npm install @pollux/core zod` may put on the disk. */
export const INSTALL_BUDGET: { readonly packages: number; readonly megabytes: number } = {
  packages: 25,
  megabytes: 12,
};

/** What `npx @pollux/cli emulator` may put on the disk, in megabytes. */
export const CLI_INSTALL_MEGABYTES = 3;

/** All budgets, as CONTRIBUTING.md lists them. */
export function budgetRows(): readonly (readonly [string, string])[] {
  const kilobytes = (bytes: number): string => `${(bytes / 1000).toLocaleString("en-US")} KB`;
  return [
    ...Object.entries(PACKAGE_BUDGETS).map(
      ([name, { packed, unpacked }]) =>
        [`\`${name}\``, `${kilobytes(packed)} packed, ${kilobytes(unpacked)} unpacked`] as const,
    ),
    [
      "an agent with one tool, bundled, beyond zod",
      `${kilobytes(BUNDLE_BUDGET.minified)} minified, ${kilobytes(BUNDLE_BUDGET.gzipped)} gzipped`,
    ],
    ["`npm install @pollux/core zod`", `${INSTALL_BUDGET.packages} packages, ${INSTALL_BUDGET.megabytes} MB`],
    ["`npx @pollux/cli emulator`", `${CLI_INSTALL_MEGABYTES} MB`],
  ];
}

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
  budgets: Readonly<Record<string, PackageSize>> = PACKAGE_BUDGETS,
): readonly string[] {
  const budget = budgets[name];
  if (budget === undefined) return [`${name} has no budget: add one in scripts/package-size.ts`];
  return (["packed", "unpacked"] as const)
    .filter((kind) => size[kind] > budget[kind])
    .map((kind) => `${name} has ${size[kind]} bytes ${kind}, and its budget is ${budget[kind]}`);
}
