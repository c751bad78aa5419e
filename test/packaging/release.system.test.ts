import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { npmInstall } from "../support/npm-install.ts";
import { type PublishingRegistry, servePublishing } from "./support/publishing-registry.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { packageManager: string };

let folder: string;
let repository: string;
let registry: PublishingRegistry;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pollux-release-"));
  repository = join(folder, "repository");
  registry = await servePublishing();
  mkdirSync(join(folder, "bin"));
  const pnpm = (await run("npx", ["--yes", "--package", packageManager, "-c", "which pnpm"], folder)).trim();
  writeFileSync(join(folder, "bin/pnpm"), `#!/bin/sh\nexec "${pnpm}" "$@"\n`);
  chmodSync(join(folder, "bin/pnpm"), 0o755);
  const token = `${registry.url.replace("http:", "")}/:_authToken=any\n`;
  writeFileSync(join(folder, "npmrc"), `${token}@pollux:registry=${registry.url}\n`);
  await copyRepository();
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

test("a changeset becomes a version that is published, and a project of that version answers", async () => {
  const versions = (): readonly string[] => [...new Set(manifests().map(({ version }) => version))];
  const [before] = versions();
  const written = manifests().map(({ text: one }) => one);
  await run(process.execPath, ["scripts/version-packages.ts"], repository);
  const [version = "", ...others] = versions();
  expect({ others, isNew: version !== before }).toEqual({ others: [], isNew: true });
  expect(manifests().map(({ text: one }) => one.replace(`"${version}"`, `"${before}"`))).toEqual(written);
  expect(readFileSync(join(repository, "packages/core/CHANGELOG.md"), "utf8")).toMatch(
    /^# @pollux\/core\n\n## [\d.]+\n\n### Minor Changes\n(?:(?!\n##)[^])*\n- (?:\w+: )?Rehearse a release\n/,
  );
  expect(readFileSync(join(repository, "packages/otel/src/open-telemetry.ts"), "utf8")).toContain(`"${version}"`);

  const versioned = manifests();
  await run(process.execPath, ["scripts/release.ts", "--registry", registry.url], repository);
  expect(manifests()).toEqual(versioned);
  expect([...registry.published.keys()].toSorted()).toEqual(versioned.map(({ name }) => name).toSorted());
  for (const [name, { versions: all }] of registry.published) {
    expect(Object.keys(all), name).toEqual([version]);
    expect(JSON.stringify(all), name).not.toMatch(/"(?:workspace|catalog):/);
    const { dependencies = {} } = all[version] ?? {};
    for (const [dependency, range] of Object.entries(dependencies))
      if (dependency.startsWith("@pollux/"))
        expect([name, dependency, range]).toEqual([name, dependency, `^${version}`]);
  }
  const tags = await run("git", ["tag"], repository);
  expect(tags).toBe("");

  const published = registry.published.get("create-pollux")?.versions[version];
  const home = join(folder, "home");
  mkdirSync(home);
  writeFileSync(join(home, "package.json"), "{}");
  await npmInstall(home, [published?.dist.tarball ?? ""], environment());
  const flags = ["my-agent", "--yes", "--package-manager", "npm"];
  await run("npx", ["--no-install", "create-pollux", ...flags], home);
  const project = join(home, "my-agent");
  const { dependencies } = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as { dependencies: object };
  expect(dependencies).toMatchObject({ "@pollux/cli": `^${version}`, "@pollux/core": `^${version}` });
  expect(await run("npm", ["start", "Roll 3 dice."], project)).toMatch(/✓ roll_dice .*rolls/);
  expect(await run("npx", ["--no-install", "pollux", "--version"], project)).toBe(`${version}\n`);

  for (const template of ["web", "library"]) {
    const options = ["--template", template, "--yes", "--no-install", "--package-manager", "npm"];
    await run("npx", ["--no-install", "create-pollux", template, ...options], home);
    const ours = globSync("{,packages/*/}package.json", { cwd: join(home, template) })
      .flatMap((file) => {
        const { dependencies: needed = {}, devDependencies = {} } = JSON.parse(
          readFileSync(join(home, template, file), "utf8"),
        ) as Readonly<Record<string, Readonly<Record<string, string>> | undefined>>;
        return Object.entries({ ...needed, ...devDependencies });
      })
      .filter(([name, range]) => registry.published.has(name) && range !== "*" && !range.startsWith("workspace:"));
    expect(ours.length, template).toBeGreaterThan(1);
    for (const [name, range] of ours) expect([template, name, range]).toEqual([template, name, `^${version}`]);
  }
});

/** The built packages and their release scripts, with one change to release. */
async function copyRepository(): Promise<void> {
  const isCopied = (path: string): boolean => basename(path) !== "node_modules" && !/\/test(?:\/|$)/.test(path);
  for (const path of ["package.json", "pnpm-workspace.yaml", ".changeset", "scripts", "packages"])
    cpSync(join(root, path), join(repository, path), { recursive: true, filter: isCopied });
  writeFileSync(join(repository, ".changeset/rehearsal.md"), `---\n"@pollux/core": minor\n---\n\nRehearse a release\n`);
  writeFileSync(join(repository, ".gitignore"), "node_modules\ndist\n");
  const git = (...args: readonly string[]): Promise<string> =>
    run("git", ["-c", "user.name=Test", "-c", "user.email=test@example.com", ...args], repository);
  await git("init", "--quiet");
  await git("add", "--all");
  await git("commit", "--quiet", "--message", "Start");
}

function manifests(): readonly { readonly name: string; readonly version: string; readonly text: string }[] {
  return readdirSync(join(repository, "packages")).map((name) => {
    const manifest = readFileSync(join(repository, "packages", name, "package.json"), "utf8");
    return { ...(JSON.parse(manifest) as { name: string; version: string }), text: manifest };
  });
}

/** Without keys and tokens, and with the local registry for our packages. */
function environment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/_KEY$|_TOKEN$|^GOOGLE_|^GITHUB_|^npm_|^VITEST|^NODE_ENV$/.test(name),
  );
  return {
    ...Object.fromEntries(inherited),
    PATH: [join(folder, "bin"), join(root, "node_modules/.bin"), process.env["PATH"]].join(delimiter),
    NPM_CONFIG_USERCONFIG: join(folder, "npmrc"),
    npm_config_prefer_offline: "true",
    // The copy has no node_modules, and needs none.
    PNPM_CONFIG_VERIFY_DEPS_BEFORE_RUN: "false",
    CI: "true",
    NO_COLOR: "1",
  };
}

async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const child = spawn(command, args, { cwd, env: environment(), stdio: ["ignore", "pipe", "pipe"] });
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}:\n${out}${err}`);
  return out;
}
