import { checkOptions, findSpelling, type OptionNames, type Spellings } from "../internal/check-options.ts";
import { isObject } from "../internal/json.ts";
import type { Hooks } from "../loop/loop-input.ts";
import type { Limits } from "../loop/limits.ts";
import { GEMINI_OPTIONS } from "../model/gemini-model.ts";
import {
  type AgentOptions,
  type AnyRunOptions,
  type CountTokensOptions,
  SETTINGS,
  type SharedOptions,
} from "./options.ts";

const SHARED: OptionNames<SharedOptions> = {
  ...SETTINGS,
  instructions: true,
  tools: true,
  toolChoice: true,
  limits: true,
  compaction: true,
  prices: true,
  stopWhen: true,
  hooks: true,
  approve: true,
  prepareTurn: true,
  guardrails: true,
};
const AGENT: OptionNames<AgentOptions> = {
  ...SHARED,
  model: true,
  endpoint: true,
  traffic: true,
  name: true,
  concurrency: true,
  maxRepeats: true,
  maxRestarts: true,
  maxRequestsPerTurn: true,
  observers: true,
  logger: true,
};
const COUNT: OptionNames<CountTokensOptions> = { ...SHARED, context: true, output: true, signal: true };
const RUN: OptionNames<AnyRunOptions> = { ...COUNT, metadata: true, runId: true, parent: true, steps: true };
const HOOKS: OptionNames<Hooks> = { beforeCall: true, afterCall: true };
const LIMITS: OptionNames<Limits> = {
  turns: true,
  toolCalls: true,
  inputTokens: true,
  outputTokens: true,
  totalTokens: true,
  wallTimeMs: true,
  cost: true,
};

const TURNS = "maxSteps maxTurns maxIterations max_turns maxRemoteCalls";
const SPELLINGS: Spellings = {
  "use instructions": "system systemPrompt systemInstruction system_prompt system_instruction",
  "pass it as the first argument of run()": "prompt messages contents input",
  "use limits: { turns: … }": TURNS,
  "use output, an option of run(): run(input, { output: schema })":
    "schema outputSchema outputType responseSchema responseJsonSchema responseFormat responseMimeType structuredOutput",
  "use maxOutputTokens": "maxTokens max_tokens",
  "use signal, an option of run()": "abortSignal",
  "use thinking": "thinkingConfig thinkingBudget thinkingLevel reasoning reasoningEffort",
  "use toolChoice": "toolConfig",
  "use prepareTurn": "prepareStep",
  "its members are options of their own, such as temperature":
    "config generationConfig generation_config modelSettings settings providerOptions",
  "use endpoint: google({ apiKey: … })": "apiKey api_key",
  "use endpoint: endpoint({ baseUrl: …, apiKey: … })": "baseUrl baseURL",
  "use model: gemini(id, { retry: { maxAttempts: … } })": "maxRetries",
};

/** What to do about an option that is spelled as elsewhere, or belongs elsewhere. */
function advise(name: string): string | undefined {
  const found = findSpelling(SPELLINGS, name);
  if (found !== undefined) return found;
  if (Object.hasOwn(RUN, name)) return "pass it to run()";
  if (Object.hasOwn(AGENT, name)) return "pass it to new Agent()";
  return Object.hasOwn(GEMINI_OPTIONS, name) ? `use model: gemini(id, { ${name}: … })` : undefined;
}

/**
 * Checks what TypeScript would check of an agent's options.
 *
 * @throws {TypeError} Naming the option, and what to write instead.
 */
export function checkAgentOptions(options: AgentOptions): void {
  checkAll("new Agent()", options, AGENT);
  const model: unknown = options.model;
  if (typeof model === "string" || (isObject(model) && typeof model["respond"] === "function")) return;
  throw new TypeError(`new Agent(): ${describeModel(model)}`);
}

function describeModel(model: unknown): string {
  const id = isObject(model) && typeof model["modelId"] === "string" ? model["modelId"] : "gemini-flash-latest";
  const ours = `use a model id, such as "${id}", or gemini("${id}")`;
  if (model === undefined) return `there is no model: ${ours}`;
  if (isObject(model) && "modelPath" in model) return `model is an endpoint: write model: "${id}", endpoint: google()`;
  return `model is not a model of this library: ${ours}`;
}

/** As {@link checkAgentOptions}, for a run. */
export function checkRunOptions(options: unknown): void {
  checkRun("run()", options, RUN);
}

/** As {@link checkRunOptions}, for a method of a session that takes more. */
export function checkSessionRun(method: string, more: { readonly [name: string]: true }): (options: unknown) => void {
  return (options) => checkRun(`${method}()`, options, { ...RUN, ...more });
}

/** As {@link checkAgentOptions}, for counting tokens. */
export function checkCountOptions(options: unknown): void {
  checkRun("countTokens()", options, COUNT);
}

function checkRun(where: string, options: unknown, names: { readonly [name: string]: true }): void {
  checkAll(where, options, names);
  // As just checked.
  const { output } = options as { readonly output?: unknown };
  if (!isObject(output) || "~standard" in output) return;
  // Of the AI SDK: `Output.object()`, `{ schema }`, and `jsonSchema()`.
  const foreign = ["responseFormat", "schema", "jsonSchema"].find((name) => name in output);
  if (foreign === undefined) return;
  const found =
    foreign === "responseFormat" ? "the result of another library's Output.object()" : `an object with ${foreign}`;
  throw new TypeError(`${where}: output is ${found}: write the schema itself, output: schema`);
}

function checkAll(where: string, options: unknown, names: { readonly [name: string]: true }): void {
  checkOptions(where, options, names, advise);
  // As just checked.
  const { limits, hooks, stopWhen } = options as SharedOptions;
  if (limits !== undefined)
    checkOptions(`${where}: limits`, limits, LIMITS, (name) =>
      findSpelling({ "use turns": TURNS, "use wallTimeMs": "timeoutMs timeout" }, name),
    );
  if (hooks !== undefined) checkOptions(`${where}: hooks`, hooks, HOOKS);
  if (stopWhen !== undefined && !Array.isArray(stopWhen))
    throw new TypeError(`${where}: stopWhen must be a list of rules; for a number of turns, use limits: { turns: … }`);
}

/** The error for tools that are not a list of tools. */
export function notTools(tools: unknown): TypeError {
  if (!Array.isArray(tools))
    return new TypeError(
      tools instanceof Promise
        ? "tools is a promise: await it"
        : "tools must be a list, in which each tool has its own name: tools: [getWeather, googleSearch()]",
    );
  const at = tools.findIndex(
    (tool: unknown) => !isObject(tool) || (tool["kind"] !== "function" && tool["kind"] !== "built-in"),
  );
  return new TypeError(`tools[${at}] ${describeNoTool(tools[at])}`);
}

function describeNoTool(tool: unknown): string {
  if (tool instanceof Promise) return "is a promise: await it";
  if (Array.isArray(tool)) return "is a list: spread it, as in tools: [...more]";
  if (typeof tool === "function") return "is a function: call it, as in googleSearch(), or define it with defineTool()";
  if (!isObject(tool)) return `is ${String(tool)}, not a tool`;
  if (typeof tool["asTool"] === "function") return "is an agent: use agent.asTool({ description: … })";
  const builtIn = ["googleSearch", "urlContext", "codeExecution", "googleMaps"].find((name) => name in tool);
  return builtIn === undefined
    ? "is not a tool of this library: define it with defineTool({ name, description, input, run })"
    : `is a declaration: use ${builtIn}()`;
}
