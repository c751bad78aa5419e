import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { readPage, ROOT } from "./support/pages.ts";

/** First arguments of some constructors. */
const FIRST: Readonly<Record<string, unknown>> = { RunSuspended: [], SkillError: [], EngineError: "run-unknown" };

/** The modules in the packages' manifests. */
function listModules(): readonly string[] {
  return readdirSync(join(ROOT, "packages")).flatMap((name) => {
    const folder = join(ROOT, "packages", name);
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
      readonly exports: Readonly<Record<string, { readonly "pollux-source"?: string }>>;
    };
    return Object.values(manifest.exports).flatMap(({ "pollux-source": source }) =>
      source === undefined ? [] : [pathToFileURL(join(folder, source)).href],
    );
  });
}

const modules = await Promise.all(listModules().map(async (url) => (await import(url)) as Record<string, unknown>));
const classes = new Map(
  modules.flatMap((module) =>
    Object.entries(module).filter(
      // Except the base class, which nobody throws, and a server's answer, which has any code.
      ([name, value]) =>
        typeof value === "function" && value.prototype instanceof Error && !/^(?:AgentError|HttpError)$/.test(name),
    ),
  ),
);

test("each error that a package exports has a code, which the guide lists", () => {
  expect(classes.size).toBeGreaterThan(35);
  const codes = [...classes].map(([name, type]) => {
    // Arrays replace the lists and objects that some constructors expect.
    const error = Reflect.construct(type as new () => Error, [FIRST[name] ?? "a message", [], [], []]) as object;
    return [name, "code" in error ? error.code : undefined];
  });
  // An engine's error has many.
  expect(codes.find(([name]) => name === "EngineError")).toEqual(["EngineError", "run-unknown"]);
  const single = codes.filter(([name]) => name !== "EngineError");
  const rows = readPage("docs/guides/errors-and-retries.md").matchAll(/^\| `([\w-]+)` +\| `(\w+)` +\|/gm);
  const listed = Array.from(rows, ([, code, name]) => [name, code]);
  const byName = (list: readonly unknown[][]) => list.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  expect(byName(listed)).toEqual(byName(single));
});
