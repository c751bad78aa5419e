/**
 * `pnpm release`, in the release workflow: publishes every package whose version is new, with provenance.
 *
 * Provenance ties a package to the repository that it was built in, so its manifest has to name that repository. Only the workflow knows
 * it; the names are added here, and removed again after publishing.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The fields of a manifest that say where a package comes from.
 *
 * @param env - Of a GitHub workflow.
 * @param folder - The package's folder, such as `packages/core`.
 */
export function originFields(env: Readonly<Record<string, string | undefined>>, folder: string): object {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository } = env;
  if (!server || !repository)
    throw new Error(
      "Packages are published by the release workflow: GITHUB_SERVER_URL and GITHUB_REPOSITORY say which repository they come from.",
    );
  const url = `${server}/${repository}`;
  return {
    repository: { type: "git", url: `git+${url}.git`, directory: folder },
    homepage: `${url}/tree/main/${folder}#readme`,
    bugs: `${url}/issues`,
  };
}

function release(): void {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const manifests = readdirSync(join(root, "packages")).map((name) => {
    const file = join(root, "packages", name, "package.json");
    return { file, text: readFileSync(file, "utf8"), origin: originFields(process.env, `packages/${name}`) };
  });
  try {
    for (const { file, text, origin } of manifests) {
      const manifest = JSON.parse(text) as object;
      writeFileSync(file, `${JSON.stringify({ ...manifest, ...origin }, null, 2)}\n`);
    }
    // Without it, pnpm publishes without provenance where it gets no identity token.
    const env = { ...process.env, PNPM_CONFIG_PROVENANCE: "true" };
    const { status, error } = spawnSync("changeset", ["publish"], { cwd: root, env, stdio: "inherit" });
    if (error !== undefined) throw error;
    process.exitCode = status ?? 1;
  } finally {
    for (const { file, text } of manifests) writeFileSync(file, text);
  }
}

if (import.meta.main) release();
