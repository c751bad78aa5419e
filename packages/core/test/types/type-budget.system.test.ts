import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const TSC = fileURLToPath(import.meta.resolve("typescript/package.json").replace("package.json", "bin/tsc"));
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/type-budget/", import.meta.url));

/** What a tool and an agent may cost beyond those of a program with one each. The input's zod schema is most of a tool's. */
const INSTANTIATIONS = { tool: 500, agent: 4_000 };

/** A program whose agents have half of its tools each, no two of them the same ones. */
function program(tools: number, agents: number): string {
  const lines = [
    'import { Agent, defineTool, type ToolContext } from "@pollux/core";',
    'import { z } from "zod";',
    "interface App { readonly user: string; readonly notes: Map<string, string> }",
    'const context: App = { user: "ann", notes: new Map() };',
  ];
  for (let n = 0; n < tools; n++)
    lines.push(
      `const tool${n} = defineTool({
        name: "tool_${n}", description: "x", input: z.object({ in${n}: z.string(), n: z.number().optional() }),
        run: ({ in${n}, n }, { context }: ToolContext<App>) => ({ out${n}: in${n} + context.user, n }),
      });`,
    );
  for (let n = 0; n < agents; n++) {
    const own = Array.from({ length: Math.ceil(tools / 2) }, (_, index) => `tool${(n + index) % tools}`);
    lines.push(
      `const agent${n} = new Agent({ model: "m", tools: [${own.join()}], instructions: ({ context }) => context.user });
       for (const call of (await agent${n}.run("Go.", { context })).toolCalls)
         if (call.status === "completed" && call.name === "tool_${n}") console.log(call.output.out${n}, call.input.in${n});
       for await (const event of agent${n}.session().stream("Go.", { context }))
         if (event.type === "tool-end" && event.name === "tool_${n}" && event.outcome.ok) console.log(event.outcome.output);`,
    );
  }
  return lines.join("\n");
}

async function countInstantiations(folder: string, code: string): Promise<number> {
  await writeFile(path.join(folder, "program.ts"), code);
  const { stdout } = await promisify(execFile)(process.execPath, [TSC, "-p", folder, "--extendedDiagnostics"]).catch(
    (error: unknown) => error as { stdout: string },
  );
  expect(stdout).not.toContain("error TS");
  return Number(/^Instantiations:\s+(\d+)/m.exec(stdout)?.[1]);
}

test("100 tools and 20 agents with 50 of them each are checked within a budget of type instantiations", async () => {
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(path.join(CACHE, "program-"));
  try {
    const config = {
      extends: fileURLToPath(new URL("../../../../tsconfig.base.json", import.meta.url)),
      // The types as they are published: to check all sources takes three times as long, and costs each program the same.
      compilerOptions: { noEmit: true, rewriteRelativeImportExtensions: false, customConditions: [] },
      files: ["program.ts"],
    };
    await writeFile(path.join(folder, "tsconfig.json"), JSON.stringify(config));
    const one = await countInstantiations(folder, program(1, 1));
    const many = await countInstantiations(folder, program(100, 20));
    expect(one).toBeGreaterThan(1_000);
    expect(many - one).toBeLessThan(100 * INSTANTIATIONS.tool + 20 * INSTANTIATIONS.agent);
    // A count of nothing would be within any budget.
    expect(many - one).toBeGreaterThan(10_000);
  } finally {
    await rm(folder, { recursive: true });
  }
});
