import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundleCore } from "../../scripts/bundle.ts";
import { BUNDLE_BUDGET } from "../../scripts/package-size.ts";
import { type Bundled, bundleProgram, dependenciesOf, sourceEntries, subpathsOf } from "./bundle-program.ts";

const core = fileURLToPath(new URL("../../packages/core/", import.meta.url));

const HELLO = `
import { Agent, defineTool } from "@pollux/core";
import { z } from "zod";
const getWeather = defineTool({
  name: "get_weather",
  description: "Current weather in a city.",
  input: z.object({ city: z.string() }),
  run: ({ city }) => city,
});
console.log((await new Agent({ model: "gemini-flash-latest", tools: [getWeather] }).run("Oslo?")).text);
`;
// As in `bench/drivers/zod.mjs`: the limit and the figure on the page of benchmarks are of one thing.
const ZOD = `
import { z } from "zod";
console.log(z.toJSONSchema(z.object({ city: z.string() })));
`;
const TOOL = `
import { defineTool } from "@pollux/core";
console.log(defineTool({ name: "now", description: "The time.", run: () => Date.now() }));
`;

/** Code that only a client, a loop, an agent or a session contains. */
const MARKERS = {
  client: "streamGenerateContent",
  key: "x-goog-api-key",
  loop: "turn-start",
  session: "session's id must not be empty",
  heals: "replace-signatures",
} as const;

const markersIn = (code: string): readonly string[] =>
  Object.entries(MARKERS).flatMap(([name, marker]) => (code.includes(marker) ? [name] : []));

let built: string;
beforeAll(async () => {
  // Dependencies resolve here. The manifest's side effects and imports stay, as published.
  built = mkdtempSync(join(core, "node_modules/.bundle-"));
  copyFileSync(join(core, "package.json"), join(built, "package.json"));
  await bundleCore(join(built, "dist"));
});
afterAll(() => rmSync(built, { recursive: true, force: true }));

describe.each<[string, () => Readonly<Record<string, string>>]>([
  ["its sources", sourceEntries],
  [
    "its published files",
    () => ({
      "@pollux/core": join(built, "dist/index.js"),
      "@pollux/core/decisions": join(built, "dist/decisions/index.js"),
      "@pollux/core/node": join(built, "dist/node/index.js"),
      "@pollux/core/wire": join(built, "dist/wire/index.js"),
    }),
  ],
])("core, bundled from %s", (from, entries) => {
  let hello: Bundled;
  beforeAll(async () => {
    hello = await bundleProgram(HELLO, entries());
  });

  test("leaves nothing behind when nothing is used", async () => {
    for (const program of [``, `import "@pollux/core";`, `import "@pollux/core/wire";`]) {
      const { code, packages, files } = await bundleProgram(program, entries());
      expect({ code: code.replaceAll(/export\s*\{\s*\};?|\s/g, ""), packages, files }).toEqual({
        code: "",
        packages: [],
        files: [],
      });
    }
  });

  test("brings a tool without client, loop, agent or session", async () => {
    const { code, packages, laterPackages, files, bytes, laterBytes } = await bundleProgram(TOOL, entries());
    expect(markersIn(code)).toEqual([]);
    expect(packages.filter((name) => name !== "zod" && !laterPackages.includes(name))).toEqual([]);
    expect(bytes - laterBytes).toBeLessThan(64_000);
    if (from !== "its sources") return;
    const folders = new Set(files.map((file) => file.split("/").slice(0, 4).join("/")));
    expect([...folders].toSorted()).toEqual(
      ["errors", "internal", "tool"].map((folder) => `packages/core/src/${folder}`),
    );
  });

  test("brings a client without loop, agent or session", async () => {
    const program = `import { GeminiClient } from "@pollux/core/wire"; console.log(new GeminiClient());`;
    const { code, packages } = await bundleProgram(program, entries());
    expect(markersIn(code)).toEqual(["client", "key"]);
    expect(packages).not.toContain("zod");
  });

  test("brings embeddings and decisions without loop, agent or session, and not with a hello agent", async () => {
    const program = `import { embed } from "@pollux/core/resources"; console.log(await embed("Oslo", { model: "gemini-embedding-2" }));`;
    const embeds = await bundleProgram(program, entries());
    expect(markersIn(embeds.code)).toEqual(["client", "key"]);
    expect(embeds.packages).not.toContain("zod");
    expect([embeds, hello].map(({ code }) => code.includes("embedContent"))).toEqual([true, false]);
    const asks = `import { decide, yesNo } from "@pollux/core/decisions"; console.log(await decide("x", { q: yesNo("?") }));`;
    const decides = await bundleProgram(asks, entries());
    expect(markersIn(decides.code)).toEqual(["client", "key"]);
    expect([decides, hello].map(({ code }) => code.includes("gemini-decision-1"))).toEqual([true, false]);
  });

  test("brings uploads, the management of caches, and a fetch over node:http only where they are used", async () => {
    const programs = [
      `import { files } from "@pollux/core/resources"; console.log(files());`,
      `import { caches } from "@pollux/core/resources"; console.log(caches());`,
      `import { nodeTransport } from "@pollux/core/node"; console.log(nodeTransport());`,
    ];
    const bundled = programs.map((program) => bundleProgram(program, entries()));
    const found = [hello, ...(await Promise.all(bundled))].map(({ code }) => {
      return ["x-goog-upload-offset", "deleteCachedContent", "highWaterMark"].map((text) => code.includes(text));
    });
    expect(found).toEqual([
      [false, false, false],
      [true, false, false],
      [false, true, false],
      [false, false, true],
    ]);
  });

  test("adds to zod, for a hello agent, no more than its budget", async () => {
    const zod = await bundleProgram(ZOD, entries());
    expect(markersIn(hello.code)).toEqual(Object.keys(MARKERS));
    expect(zod.packages).toEqual(["zod"]);
    // The last two check plain JSON Schemas. The published files include the used parts of typebox.
    const later = ["is-network-error", "p-retry", "re2js", ...(from === "its sources" ? ["typebox"] : [])];
    expect([hello.packages, hello.laterPackages]).toEqual([["eventsource-parser", ...later, "zod"], later]);
    // What users bundle; the sources are split into other chunks.
    if (from === "its sources") return;
    expect(hello.bytes - hello.laterBytes - zod.bytes, "bytes beyond zod").toBeLessThan(BUNDLE_BUDGET.minified);
    expect(hello.gzipped - zod.gzipped, "bytes beyond zod, gzipped").toBeLessThan(BUNDLE_BUDGET.gzipped);
  });
});

describe("a subpath of the tools", () => {
  const OWN: Readonly<Record<string, readonly string[]>> = {
    "./ask-user": [],
    "./calculator": ["mathjs"],
    "./file-search": [],
    "./files": ["diff", "re2js"],
    "./http": ["ipaddr.js", "undici"],
    "./mcp": ["@modelcontextprotocol/client"],
    "./mcp-server": ["@modelcontextprotocol/server"],
    "./notes": [],
    "./openapi": ["minisearch"],
    "./search": [],
    "./shell": [],
    "./skills": ["yaml"],
    "./sql": [],
    "./time": ["luxon"],
    "./todo": [],
    "./tool-search": ["minisearch"],
  };
  /** Modules for child processes of tools, which load them from the installed package. */
  const APART = ["@mixmark-io/domino", "turndown", "unpdf"];
  const dependencies = dependenciesOf("tools");

  test("is in the table, and each dependency belongs to one", () => {
    expect(
      subpathsOf("tools")
        .map(({ subpath }) => subpath)
        .toSorted(),
    ).toEqual(Object.keys(OWN));
    expect(dependencies.filter((name) => !Object.values(OWN).some((own) => own.includes(name)))).toEqual(APART);
  });

  test.each(Object.entries(OWN))(
    "%s brings its own dependencies, and a client only if it is one",
    async (subpath, own) => {
      const { code, packages, laterPackages } = await bundleProgram(
        `export * from "@pollux/tools${subpath.slice(1)}";`,
      );
      const ofCore = new Set(dependenciesOf("core").filter((name) => laterPackages.includes(name)));
      expect(packages.filter((name) => dependencies.includes(name) && !ofCore.has(name))).toEqual(own);
      // A store is a separate client, and a semantic search requests embeddings.
      const isClient = ["./file-search", "./openapi", "./tool-search"].includes(subpath);
      expect(markersIn(code)).toEqual(isClient ? ["client", "key"] : []);
    },
  );

  test("adds what the README says, within a twentieth or a kilobyte", async () => {
    const base = `import * as core from "@pollux/core"; import { z } from "zod"; export { core, z };`;
    const { bytes, laterBytes } = await bundleProgram(base);
    const measured: Record<string, { atImport: number; later: number }> = {};
    for (const subpath of Object.keys(OWN)) {
      const bundled = await bundleProgram(`${base} export * as tools from "@pollux/tools${subpath.slice(1)}";`);
      const later = bundled.laterBytes - laterBytes;
      // Negative: the subpath loads modules at once that core loads lazily.
      measured[subpath] = { atImport: bundled.bytes - bytes - later, later: Math.max(0, later) };
    }
    const documented = documentedSizes();
    expect(Object.keys(documented).toSorted()).toEqual(Object.keys(OWN));
    const near = (kilobytes: number, actual: number): number =>
      Math.abs(kilobytes * 1000 - actual) <= Math.max(1000, actual / 20) ? kilobytes : Math.round(actual / 1000);
    const corrected = Object.entries(documented).map(([subpath, { atImport, later }]) => [
      subpath,
      {
        atImport: near(atImport, measured[subpath]?.atImport ?? 0),
        later: near(later, measured[subpath]?.later ?? 0),
      },
    ]);
    expect(documented).toEqual(Object.fromEntries(corrected));
  });
});

/** Kilobytes by subpath, from the table in the tools' README. */
function documentedSizes(): Record<string, { atImport: number; later: number }> {
  const readme = readFileSync(join(core, "../tools/README.md"), "utf8");
  const kilobytes = (cell = ""): number => Number(cell.replace(",", "").replace(" KB", "") || 0);
  const rows = readme.matchAll(/^\| `(\/[\w-]+)` +\| +([\d,]+ KB) +\| +([\d,]+ KB)? *\|/gm);
  return Object.fromEntries(
    [...rows].map(([, subpath, atImport, later]) => [
      `.${subpath}`,
      { atImport: kilobytes(atImport), later: kilobytes(later) },
    ]),
  );
}
