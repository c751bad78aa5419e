/**
 * `pnpm release`, in the release workflow: publishes every package whose version is new, with provenance.
 *
 * Provenance ties a package to the repository that it was built in, so its manifest has to name that repository. Only the workflow knows
 * it; the names are added here, and removed again after publishing.
 *
 * `--registry URL` is a rehearsal: it publishes to that registry instead, from anywhere, without provenance and without Git tags.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

/** A manifest, as far as publishing changes it. */
interface Manifest {
  readonly publishConfig?: object;
}

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

function release(registry: string | undefined): void {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const manifests = readdirSync(join(root, "packages")).map((name) => {
    const file = join(root, "packages", name, "package.json");
    const text = readFileSync(file, "utf8");
    const manifest = JSON.parse(text) as Manifest; // one of ours
    const fields =
      registry === undefined
        ? originFields(process.env, `packages/${name}`)
        : { publishConfig: { ...manifest.publishConfig, provenance: false, registry } };
    return { file, text, published: `${JSON.stringify({ ...manifest, ...fields }, null, 2)}\n` };
  });
  // In the workflow, pnpm would otherwise publish without provenance where it gets no identity token.
  const settings =
    registry === undefined
      ? { PNPM_CONFIG_PROVENANCE: "true" }
      : { PNPM_CONFIG_PROVENANCE: "false", PNPM_CONFIG_REGISTRY: registry, npm_config_registry: registry };
  try {
    for (const { file, published } of manifests) writeFileSync(file, published);
    const args = ["publish", ...(registry === undefined ? [] : ["--no-git-tag"])];
    const { status, error } = spawnSync("changeset", args, {
      cwd: root,
      env: { ...process.env, ...settings },
      stdio: "inherit",
    });
    if (error !== undefined) throw error;
    process.exitCode = status ?? 1;
  } finally {
    for (const { file, text } of manifests) writeFileSync(file, text);
  }
}

if (import.meta.main) release(parseArgs({ options: { registry: { type: "string" } } }).values.registry);
