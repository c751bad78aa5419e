/**
 * `pnpm docs:versions`, in the docs workflow: builds the site in `site/dist`, and the sites of older releases in folders of it such as
 * `v0.1`, each with the programs of its Git tag.
 *
 * Takes the variables of `build.ts`; `SITE_REPOSITORY` has to end with the commit.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { olderVersions, VERSIONS_FILE, versionsText } from "./src/versions.ts";

/**
 * @param root - The repository's folder.
 * @param env - With `SITE_BASE` and `SITE_REPOSITORY`.
 */
export function buildVersions(root: string, env: NodeJS.ProcessEnv): void {
  const git = (...args: readonly string[]): string => execFileSync("git", args, { cwd: root, encoding: "utf8" });
  // One of our manifests.
  const { version } = JSON.parse(readFileSync(join(root, "packages/core/package.json"), "utf8")) as { version: string };
  const older = olderVersions(git("tag", "--list").split("\n"), version);
  const base = env["SITE_BASE"] ?? "/";

  build(root, env);
  const dist = join(root, "site/dist");
  for (const { tag, path } of older) {
    const parent = mkdtempSync(join(tmpdir(), "pollux-site-"));
    const sources = join(parent, "sources");
    git("worktree", "add", "--detach", "--quiet", sources, tag);
    try {
      build(sources, {
        ...env,
        SITE_BASE: base + path,
        SITE_ROOT: base,
        ...(env["SITE_REPOSITORY"] && {
          SITE_REPOSITORY: env["SITE_REPOSITORY"].replace(/[^/]+$/, encodeURIComponent(tag)),
        }),
      });
      cpSync(join(sources, "site/dist"), join(dist, path), { recursive: true });
    } finally {
      git("worktree", "remove", "--force", sources);
      rmSync(parent, { recursive: true, force: true });
    }
  }
  writeFileSync(join(dist, VERSIONS_FILE), versionsText(version, older));
}

/** Builds the site of a checkout, which may have nothing installed. */
function build(root: string, env: NodeJS.ProcessEnv): void {
  execFileSync(process.execPath, [join(root, "scripts/bootstrap.mjs"), "docs:build"], {
    cwd: root,
    env,
    stdio: "inherit",
  });
}

if (import.meta.main) buildVersions(fileURLToPath(new URL("..", import.meta.url)), process.env);
