/** `pnpm version-packages`, in the release workflow: turns the changesets into the next version and its changelogs. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Sources that tell others their package's version, as a constant `VERSION`, by the folder of the package. */
export const SOURCES_WITH_VERSION: Readonly<Record<string, string>> = {
  "packages/otel": "packages/otel/src/open-telemetry.ts",
  "packages/tools": "packages/tools/src/mcp/open-client.ts",
};

/** A source with another version in its constant. */
export function withVersion(source: string, version: string): string {
  const written = source.replace(/^const VERSION = "[^"]*";$/m, `const VERSION = "${version}";`);
  if (!written.includes(`const VERSION = "${version}";`)) throw new Error("a source has no constant VERSION");
  return written;
}

function versionPackages(): void {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const { status, error } = spawnSync("changeset", ["version"], { cwd: root, stdio: "inherit" });
  if (error !== undefined) throw error;
  process.exitCode = status ?? 1;
  if (status !== 0) return;
  for (const [folder, source] of Object.entries(SOURCES_WITH_VERSION)) {
    const { version } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as { version: string };
    const file = join(root, source);
    writeFileSync(file, withVersion(readFileSync(file, "utf8"), version));
  }
}

if (import.meta.main) versionPackages();
