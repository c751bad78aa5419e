import { readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const packages = fileURLToPath(new URL("../../packages/", import.meta.url));

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

function manifestOf(name: string): Manifest {
  // Every package of ours has a manifest of this shape.
  return JSON.parse(readFileSync(join(packages, name, "package.json"), "utf8")) as Manifest;
}

// Everybody installs a new name in these lists. Dependencies of one subpath or command are optional peers.
test.each([
  ["tools", ["@pollux/core", "diff", "ipaddr.js", "minisearch", "re2js", "yaml"], ["zod"]],
  ["cli", [], []],
  ["emulator", ["@pollux/core"], ["zod"]],
  ["inspector", ["@pollux/core", "@pollux/emulator"], []],
  ["web", ["@pollux/core"], []],
])("%s installs little", (name, hard, peers) => {
  const { dependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = manifestOf(name);
  const required = Object.keys(peerDependencies).filter((peer) => peerDependenciesMeta[peer]?.optional !== true);
  expect([Object.keys(dependencies).toSorted(), required]).toEqual([hard, peers]);
});

/** The packages that a file imports, statically or dynamically, without type-only imports. */
function importsOf(source: string): readonly string[] {
  const code = source.replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, "");
  const found = /^(?:import|export) (?!type\b)(?:[^"';]* from )?"([^"]+)";|\b(?:import|require)\("([^"]+)"\)/gm;
  return [...code.matchAll(found)]
    .map(([, atOnce, later]) => /^(?:@[^/]+\/)?[^/]+/.exec(atOnce ?? later ?? "")?.[0] ?? "")
    .filter((from) => !from.startsWith(".") && !isBuiltin(from));
}

test.each(["tools", "cli"])("%s declares all that it imports", (name) => {
  const { dependencies = {}, peerDependencies = {}, devDependencies = {} } = manifestOf(name);
  const src = join(packages, name, "src");
  const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  const imported = new Set(files.flatMap((file) => importsOf(readFileSync(join(src, file), "utf8"))));
  // The program is bundled with what it takes from its development dependencies.
  const bundled = name === "cli" ? devDependencies : {};
  const declared = new Set(Object.keys({ ...dependencies, ...peerDependencies, ...bundled }));
  expect([imported.size > 3, [...imported].filter((one) => !declared.has(one))]).toEqual([true, []]);
});
