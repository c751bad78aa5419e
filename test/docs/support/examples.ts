import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./pages.ts";
import { type Snippet, snippets } from "./snippets.ts";

/** An `@example` of an export, as a program. */
export interface Example extends Snippet {
  /** The package and the export: `core Agent`. */
  readonly of: string;
  /** It needs a missing server, browser or test runner, so it is only compiled. */
  readonly isCompiledOnly: boolean;
}

const AGENT = 'const agent = new Agent({ model: "gemini-flash-latest" });';
const STORE = "const store = new MemoryStore();";
const WEATHER = `const getWeather = defineTool({
  name: "get_weather",
  description: "Current weather in a city.",
  input: z.object({ city: z.string() }),
  run: () => ({ celsius: 4 }),
});`;
const PAY = `const pay = defineTool({ name: "pay", description: "Pays.", needsApproval: true, run: () => "paid" });
const session = new Agent({ model: "gemini-flash-latest", tools: [pay] }).session();
const result = await session.send("Pay, please.");
if (result.stopReason !== "needs-approval") throw new Error(result.stopReason);`;
const HANDLER = `${AGENT}
const handler = chatHandler({ agent, store: new MemoryStore(), protocol: aiSdk(), authorize: () => ({ owner: "ada" }) });`;
const INTO_FOLDER = 'process.chdir(await mkdtemp(tmpdir() + "/example-"));';
const OPEN_API = `const token = "secret";
const document = {
  openapi: "3.1.0",
  info: { title: "Orders", version: "1" },
  servers: [{ url: "https://api.example" }],
  paths: {
    "/repos": { get: { operationId: "repos/get", summary: "Lists.", responses: {} } },
    "/issues": { get: { operationId: "issues/list", summary: "Lists.", responses: {} } },
  },
};`;
const POOL = `type Query = (sql: string, values: unknown[]) => Promise<{ rows: Record<string, unknown>[]; fields: { name: string }[] }>;
declare const pool: { connect(): Promise<{ query: Query; release(gone: boolean): void; on(event: "error", work: () => void): void }> };`;
const SECRET = "declare function readSecret(name: string): string;";

/** Code of the program around an example. */
const AROUND: Readonly<Record<string, string>> = {
  "core Agent": WEATHER,
  "core MemoryStore": AGENT,
  "core SqliteStore": `${AGENT}\n${INTO_FOLDER}`,
  "core JsonlStore": `${AGENT}\n${INTO_FOLDER}`,
  "core defineTool": "const fetchWeather = async (city: string, _signal: AbortSignal) => `4 °C in ${city}`;",
  "core defineJob":
    "const lab = { start: async (_job: object) => 'job-1', status: async (_id: string) => ({ progress: 50 }), cancel: async (_id: string) => {} };\nconst url = 'https://app.example';",
  "core handoff": 'const billing = new Agent({ name: "billing", model: "gemini-flash-latest" });',
  "core approve": PAY,
  "core deny": PAY,
  "core finished": `${AGENT}\nconst trip = z.object({ city: z.string() });`,
  "core media": `${AGENT}
${INTO_FOLDER}
await writeFile("oslo.png", Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==", "base64"));`,
  "core ToolError": 'const isShipped = async (order: string) => order === "A17";',
  "core cosineSimilarity": `const { embeddings: vectors } = await embedMany(["Oslo", "Lima"], { model: "gemini-embedding-001" });
const { embedding: asked } = await embed("Norway", { model: "gemini-embedding-001" });`,
  "core renderMarkdown": 'const agent = new Agent({ model: "gemini-flash-latest", tools: [googleSearch()] });',
  "core ScriptedModel": WEATHER,
  "core runTool": `const expect = (value: unknown) => ({ toEqual: (other: object) => assert.deepEqual(value, other) });\n${WEATHER}`,
  "core importHistory": AGENT,
  "core geminiApi": SECRET,
  "core endpoint": SECRET,
  "core readExchanges": STORE,
  "core keepExchanges": INTO_FOLDER,
  "core replayRun": `${AGENT}\n${STORE}\nconst [sessions, exchanges] = [store, store];`,
  "evals casesFromFile": INTO_FOLDER,
  "evals defineEval": AGENT,
  "postgres PostgresStore": AGENT,
  "dbos agentsClient":
    'import { agentsClient } from "@pollux/dbos";\nconst databaseUrl = "postgresql://db.example/app";',
  "restate agentsClient": 'import { agentsClient } from "@pollux/restate";',
  "tools openApiTools": OPEN_API,
  "tools openApiSearch": OPEN_API,
  "cli RunPrinter": AGENT,
  "cli formatUsage": AGENT,
  "web chatHandler": `${AGENT}\n${STORE}`,
  "web aiSdk": `${AGENT}\n${STORE}\nconst authorize = () => ({ owner: "ada" });`,
  "core toNodeHandler": HANDLER,
  "web drainOnSignal": HANDLER,
  "web stopChat": "declare const stopButton: HTMLButtonElement;\ndeclare const chat: { stop(): void };",
  "web withoutDiscards": "const messages: { parts: { type: string }[] }[] = [];",
  "inspector inspectorHandler": `${STORE}
declare const app: { all(path: string, handler: (context: { req: { raw: Request } }) => unknown): void };
declare function isAdmin(request: Request): boolean;`,
  "tools sqlTools": POOL,
  "interactions reportResearch": `${AGENT}\n${STORE}`,
  "interactions StepsBuilder": "const client = new InteractionsClient();",
  "interactions verifyWebhook": SECRET,
};

/** Code after an example that ends its program. */
const AFTER: Readonly<Record<string, string>> = {
  "core toNodeHandler": "server.close();",
  "web drainOnSignal": 'process.emit("SIGTERM");\nawait drained;',
};

/** Examples that need a missing database, engine, browser, file or key. */
const COMPILED_ONLY = new Set([
  "core geminiApi",
  "core endpoint",
  "web stopChat",
  "tools loadSkills",
  "inspector inspectorHandler",
  "dbos agentsClient",
  "restate agentsClient",
  "postgres PostgresStore",
  "postgres PostgresQuotaStore",
  "core openSessionFile",
  "core replayRun",
  "tools sqlTools",
  "tools sqliteTools",
  "tools serveMcp",
  "tools mcpTools",
  "tools toolSearch",
]);

const COMMENTED =
  /\/\*\*((?:(?!\*\/)[^])*?@example(?:(?!\*\/)[^])*)\*\/\s*(?:\/\*[^*]*\*\/\s*)?export (?:async |abstract )*(?:function\*?|class|const) (\w+)/g;

/** Imports from packages outside of Pollux. */
const OTHERS: readonly (readonly [string, string])[] = [
  ["z", "zod"],
  ["createServer", "node:http"],
  ["mkdtemp", "node:fs/promises"],
  ["readFile", "node:fs/promises"],
  ["writeFile", "node:fs/promises"],
  ["JsonlStore", "@pollux/core/node"],
  ["openSessionFile", "@pollux/core/node"],
  ["checkSession", "@pollux/core/doctor"],
  ["deny", "@pollux/core"],
  ["PostgresStore", "@pollux/postgres"],
  ["PostgresQuotaStore", "@pollux/postgres"],
  ["SqliteQuotaStore", "@pollux/core/node"],
  ["tmpdir", "node:os"],
  ["replayRun", "@pollux/core/rehearsal"],
  ["casesFromFile", "@pollux/evals"],
];

/** The examples of all packages, except test suites, which need a test runner. */
export function examples(): readonly Example[] {
  const exported = findExported();
  return globSync("packages/*/src/**/*.ts", { cwd: ROOT })
    .filter((file) => !/^packages\/(?:conformance\/|evals\/src\/vitest\/)/.test(file))
    .toSorted()
    .flatMap((page) => {
      const from = page.split("/")[1] ?? "";
      return [...readFileSync(join(ROOT, page), "utf8").matchAll(COMMENTED)].map(([, comment = "", name = ""]) => {
        const of = `${from} ${name}`;
        const body = [AROUND[of], readExample(comment), AFTER[of]].filter((part) => part !== undefined).join("\n");
        const code = `${importsOf(body, from, exported)}\n${body}\n`;
        return {
          name: `example-${from}-${name}`,
          of,
          page,
          code,
          output: undefined,
          isCompiledOnly: COMPILED_ONLY.has(of),
        };
      });
    });
}

/** The code of the example in a doc comment. */
function readExample(comment: string): string {
  const [, text = ""] = comment.split("@example");
  const lines = text.split("\n").map((line) => line.replace(/^ *\* ?/, ""));
  const end = lines.findIndex((line) => line.startsWith("@"));
  return lines
    .slice(0, end < 0 ? undefined : end)
    .filter((line) => !line.startsWith("```"))
    .join("\n")
    .trim();
}

/** The subpath of each export, by package and name, as the programs of the docs import it. */
function findExported(): ReadonlyMap<string, string> {
  const found = new Map([["emulator call", "@pollux/emulator"]]);
  for (const { code } of snippets())
    for (const [, names = "", from = ""] of code.matchAll(/^import \{([^}]+)\} from "(@pollux\/[^"]+)";$/gm))
      for (const name of names.split(","))
        found.set(`${from.split("/")[1]} ${name.trim().replace(/^type /, "")}`, from);
  return found;
}

function importsOf(body: string, own: string, exported: ReadonlyMap<string, string>): string {
  const code = body.replaceAll(/"(?:[^"\\]|\\.)*"|\/\/.*$/gm, "");
  const declared = new Set([...code.matchAll(/\b(?:const|let|using|function|class) (\w+)/g)].map(([, name]) => name));
  const used = new Set([...code.matchAll(/(?<![.\w])([A-Za-z_]\w*)\b(?!:)/g)].map(([, name = ""]) => name));
  const imports = [...used].flatMap((name) => {
    if (declared.has(name)) return [];
    const others = OTHERS.find(([other]) => other === name)?.[1];
    const pollux = [own, "core", "emulator", "web", "tools"].map((from) => exported.get(`${from} ${name}`));
    const from = pollux.find((one) => one !== undefined) ?? others;
    if (name === "assert") return 'import assert from "node:assert/strict";';
    return from === undefined ? [] : `import { ${name} } from "${from}";`;
  });
  return imports.join("\n");
}
