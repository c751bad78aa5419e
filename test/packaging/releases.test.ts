import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { originFields } from "../../scripts/release.ts";
import { SOURCES_WITH_VERSION, withVersion } from "../../scripts/version-packages.ts";

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

describe("the version in a source", () => {
  test.each(Object.entries(SOURCES_WITH_VERSION))("is that of %s", (folder, source) => {
    const version = packages.find((each) => `packages/${each.folder}` === folder)?.manifest.version;
    expect(readFileSync(root + source, "utf8")).toContain(`\nconst VERSION = "${version}";\n`);
  });

  test("is in no other file", () => {
    const versions = new Set(packages.map(({ manifest }) => `"${manifest.version}"`));
    const sources = packages.flatMap(({ folder }) =>
      readdirSync(`${root}packages/${folder}/src`, { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".ts"))
        .map((file) => `packages/${folder}/src/${file.replaceAll("\\", "/")}`),
    );
    const found = sources.filter((file) =>
      [...versions].some((text) => readFileSync(root + file, "utf8").includes(text)),
    );
    expect(found.toSorted()).toEqual(Object.values(SOURCES_WITH_VERSION).toSorted());
  });

  test("is written by a release", () => {
    expect(withVersion('const NAME = "a";\nconst VERSION = "0.1.0";\n', "2.0.0")).toBe(
      'const NAME = "a";\nconst VERSION = "2.0.0";\n',
    );
    expect(() => withVersion("const NAME = 1;", "2.0.0")).toThrow("no constant VERSION");
  });
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
