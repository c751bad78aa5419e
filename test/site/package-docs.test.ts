import { dirname, join } from "node:path/posix";
import { expect, test } from "vitest";
import { anchorsOf, textOf } from "../../site/src/markdown.ts";
import { guidesOf, packageDocs, PACKAGES_WITH_GUIDES } from "../../site/src/package-docs.ts";
import { exists, filesIn, manifestOf, readFile } from "../../site/src/repository.ts";

const docs = new Map(PACKAGES_WITH_GUIDES.map((name) => [name, packageDocs(name)]));

/** Bytes of a package's guides. Coding agents read single pages; this bounds what every installation downloads. */
const BUDGETS: Readonly<Record<string, number>> = { core: 450_000, evals: 20_000, tools: 90_000, web: 76_000 };

test("each guide is in one package", () => {
  const contained = PACKAGES_WITH_GUIDES.flatMap(guidesOf).filter((file) => file.startsWith("docs/guides/"));
  expect(contained.toSorted()).toEqual(filesIn("docs/guides"));
});

test.each(PACKAGES_WITH_GUIDES)(
  "the guides in %s are published, listed in an index and within their budget",
  (name) => {
    const files = docs.get(name) ?? new Map<string, string>();
    const index = files.get("README.md") ?? "";
    expect(index).toContain(`@pollux/${name} ${manifestOf(name).version}`);
    expect([...files.keys()].filter((file) => file !== "README.md" && !index.includes(`](${file})`))).toEqual([]);
    expect([...files.values()].join("").length).toBeLessThan(BUDGETS[name] ?? 0);
    expect(readFile(`packages/${name}/package.json`)).toMatch(/"files": \[[^\]]*"docs"/);
  },
);

test.each(PACKAGES_WITH_GUIDES)("links of the guides in %s lead to what an installation has", (name) => {
  const dead = [...(docs.get(name) ?? [])].flatMap(([file, text]) =>
    [...textOf(text).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = ""]) => target)
      .filter((target) => !/^[a-z]+:/.test(target) && !isInstalled(join("packages", name, "docs", file), target))
      .map((target) => `${file}: ${target}`),
  );
  expect(dead).toEqual([]);
});

test("tables of the guides are not padded", () => {
  const texts = [...docs.values()].flatMap((files) => [...files.values()].map(textOf));
  expect(texts.flatMap((text) => text.match(/^\|.* {2}\|$/gm) ?? [])).toEqual([]);
  expect(texts.join("")).toContain("\n| --- |");
});

test("the AGENTS.md for people's projects names guides that packages contain, and things that exist", () => {
  const page = readFile("docs/agents-for-your-project.md");
  const named = [...page.matchAll(/@pollux\/(\w+)\/docs/g)].map(([, name = ""]) => name);
  expect([...new Set(named)].toSorted()).toEqual([...PACKAGES_WITH_GUIDES].toSorted());
  const options = readFile("docs/guides/options.md");
  for (const option of ["needsApproval", "effects", "output"]) {
    expect(page).toContain(option);
    expect(options).toContain(`\`${option}\``);
  }
});

function isInstalled(from: string, target: string): boolean {
  const [path = "", anchor] = target.split("#");
  const file = path === "" ? from : join(dirname(from), path);
  const [, name = "", page = ""] = /^packages\/([\w-]+)\/docs\/(.+)$/.exec(file) ?? [];
  const text = page === "" ? (exists(file) ? readFile(file) : undefined) : docs.get(name)?.get(page);
  return text !== undefined && (anchor === undefined || anchorsOf(text).includes(anchor));
}
