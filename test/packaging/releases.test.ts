import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { originFields } from "../../scripts/release.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly engines: object;
  readonly publishConfig: object;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const packages = readdirSync(`${root}packages`).map((folder) => ({
  folder,
  manifest: JSON.parse(readFileSync(`${root}packages/${folder}/package.json`, "utf8")) as Manifest,
}));

test.each(packages)("packages/$folder is published to everyone, with provenance", ({ manifest }) => {
  expect(manifest).toMatchObject({
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    license: "MIT",
    engines: { node: expect.stringMatching(/^>=\d/) },
    publishConfig: { access: "public", provenance: true },
  });
});

test.each(packages)("packages/$folder depends on its siblings by `workspace:^`", ({ manifest }) => {
  const names = new Set(packages.map((each) => each.manifest.name));
  const siblings = Object.entries(manifest.dependencies ?? {}).filter(([name]) => names.has(name));
  expect(siblings.filter(([, range]) => range !== "workspace:^")).toEqual([]);
});

test.each(packages)("packages/$folder has a changelog that knows its version", ({ folder, manifest }) => {
  const changelog = readFileSync(`${root}packages/${folder}/CHANGELOG.md`, "utf8");
  expect(changelog).toMatch(new RegExp(`^# ${manifest.name}\n\n## ${manifest.version}\n\n`));
});

test("all packages are released together, in one version", () => {
  const { fixed } = JSON.parse(readFileSync(`${root}.changeset/config.json`, "utf8")) as { fixed: string[][] };
  expect(fixed.map((group) => group.toSorted())).toEqual([packages.map(({ manifest }) => manifest.name).toSorted()]);
  expect(new Set(packages.map(({ manifest }) => manifest.version)).size).toBe(1);
});

describe("a published manifest", () => {
  test("names the repository that the workflow runs in, and the folder", () => {
    const env = { GITHUB_SERVER_URL: "https://git.example", GITHUB_REPOSITORY: "someone/pollux" };
    expect(originFields(env, "packages/core")).toEqual({
      repository: { type: "git", url: "git+https://git.example/someone/pollux.git", directory: "packages/core" },
      homepage: "https://git.example/someone/pollux/tree/main/packages/core#readme",
      bugs: "https://git.example/someone/pollux/issues",
    });
  });

  test("can't be made outside of the workflow", () => {
    expect(() => originFields({}, "packages/core")).toThrow(
      "Packages are published by the release workflow: GITHUB_SERVER_URL and GITHUB_REPOSITORY say which repository they come from.",
    );
  });
});
