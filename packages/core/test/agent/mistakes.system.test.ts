import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

/** What a user writes, and the first line that the compiler answers: where, and what. */
const PROGRAMS: readonly (readonly [program: string, first: string])[] = [
  [
    `defineTool({ name: "t", description: "d", inputSchema: schema, execute: async ({ city }) => city });`,
    "inputSchema: Object literal may only specify known properties, and 'inputSchema' does not exist in type 'ToolOptions<",
  ],
  [
    `defineTool({ name: "t", description: "d", input: schema, execute: async ({ city }) => city });`,
    "execute: Object literal may only specify known properties, and 'execute' does not exist in type 'ToolOptions<",
  ],
  [
    `defineTool({ name: "t", description: "d", input: "city", run: () => 1 });`,
    "input: Type 'string' is not assignable to type 'ToolInputSchema | undefined'.",
  ],
  [
    `defineTool({ name: "t", description: "d", input: schema, run: ({ town }) => town });`,
    "town: Property 'town' does not exist on type '{ city: string; }'.",
  ],
  [
    `new Agent({ model, tools: { weather } });`,
    "weather: Object literal may only specify known properties, and 'weather' does not exist in type 'readonly ",
  ],
  [
    `new Agent({ model, maxSteps: 5 });`,
    "maxSteps: Object literal may only specify known properties, and 'maxSteps' does not exist in type 'AgentOptions<",
  ],
  [
    `agent.run("Hi.", { system: "Be brief." });`,
    "system: Object literal may only specify known properties, and 'system' does not exist in type 'RunOptions<",
  ],
  [
    `agent.run("Hi.", { output: { schema } });`,
    "schema: Type 'ZodObject<{ city: ZodString; }, $strip>' is not assignable to type 'undefined'.",
  ],
  [
    `agent.run([{ role: "user", content: "Hi." }]);`,
    "content: Object literal may only specify known properties, and 'content' does not exist in type ",
  ],
  [
    `agent.asTool({ description: "d", input: schema });`,
    "input: Object literal may only specify known properties, and 'input' does not exist in type 'AgentToolOptions<",
  ],
  [
    `media("aGk=", { mime: "image/png" });`,
    "mime: Object literal may only specify known properties, and 'mime' does not exist in type 'MediaOptions'.",
  ],
];

const HEAD = [
  `import { Agent, defineTool, media } from "@pollux/core";`,
  `import { z } from "zod";`,
  `const [model, schema] = ["gemini-flash-latest", z.object({ city: z.string() })];`,
  `const weather = defineTool({ name: "weather", description: "d", input: schema, run: ({ city }) => city });`,
  `const agent = new Agent({ model, tools: [weather] });`,
  `void [agent, media];`,
].join("\n");

const core = fileURLToPath(new URL("../../", import.meta.url));
const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
let folder: string;
let output: string;

beforeAll(async () => {
  // Here the package and zod are found.
  folder = await mkdtemp(join(core, "node_modules/.mistakes-"));
  const files = PROGRAMS.map((_, index) => `${index}.ts`);
  for (const [index, [program]] of PROGRAMS.entries())
    await writeFile(join(folder, `${index}.ts`), `${HEAD}\n${program}\n`);
  // The types as they are published.
  const compilerOptions = { noEmit: true, customConditions: [] };
  const config = { extends: "../../../../tsconfig.base.json", compilerOptions, files };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
  output = await new Promise((resolve) => {
    execFile(process.execPath, [tsc, "--pretty", "false", "-p", folder], { cwd: folder }, (_failure, stdout) =>
      resolve(stdout),
    );
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test.each(PROGRAMS.map(([program, first], index) => [program, first, index] as const))(
  "%s is reported at the property",
  (program, first, index) => {
    const line = output.split("\n").find((text) => text.startsWith(`${index}.ts(`)) ?? output;
    const [, row, column, message] = /\((\d+),(\d+)\): error TS\d+: (.*)/.exec(line) ?? [];
    expect(Number(row)).toBe(HEAD.split("\n").length + 1);
    const word = /^\w+/.exec(program.slice(Number(column) - 1))?.[0];
    expect(`${word}: ${message}`.slice(0, first.length)).toBe(first);
  },
);
