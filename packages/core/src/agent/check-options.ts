import {
  checkOptions,
  checkValue,
  describeType,
  findSpelling,
  namesIn,
  nearestName,
  type OptionNames,
  type Spellings,
} from "../internal/option-names.ts";
import { isObject } from "../internal/json.ts";
import type { Guardrails } from "../loop/guardrails.ts";
import type { TurnChanges } from "../loop/turn/turn-info.ts";
import { isStandardSchema } from "../tool/schema/standard-schema.ts";
import { GEMINI_OPTIONS, GEMINI_SPELLINGS } from "../model/gemini-model.ts";
import { AGENT, type AgentOptions, type AnyRunOptions, GROUPS, HOOKS, LIMITS, RUN, SETTINGS } from "./options.ts";
import { METHODS, type MethodOptions } from "./session-options.ts";

const GUARDRAILS: OptionNames<Guardrails> = namesIn("input output streaming");

const SPELLINGS: Spellings = {
  ...GEMINI_SPELLINGS,
  "use instructions": "system systemPrompt systemInstruction",
  "pass it as the first argument of run()": "prompt messages contents input",
  "use limits: { turns: … }": "maxSteps maxTurns maxIterations",
  "use output: schema": "schema outputSchema outputType responseSchema responseJsonSchema responseFormat",
  "use settings: { maxOutputTokens: … }": "maxTokens max_tokens",
  "use signal, an option of run()": "abortSignal",
  "use settings: { thinking: … }": "thinkingConfig reasoning",
  "use toolChoice": "toolConfig",
  "use hooks: { prepareTurn }": "prepareStep activeTools",
  "use limits: { concurrentCalls: … }": "concurrency",
  "use observers": "onStepFinish onFinish onChunk onError callbacks telemetry experimental_telemetry",
  "use context, an option of run()": "experimental_context runtimeContext deps",
  "use agent.session({ history })": "history",
  "use agent.session({ id })": "sessionId threadId conversationId",
  "use settings: { temperature: … }": "config generationConfig modelSettings providerOptions",
};
const LIMIT_SPELLINGS: Spellings = { "use turns": "maxSteps maxTurns", "use wallTimeMs": "timeout timeoutMs" };
const SETTING_SPELLINGS: Spellings = {
  "use maxOutputTokens": "maxTokens max_tokens",
  "use thinking": "thinkingConfig reasoning",
  "a run follows one answer: run again for another": "candidateCount n",
};

/** What to do about an option that is spelled as elsewhere, or belongs elsewhere. */
function advise(name: string): string | undefined {
  const owner = Object.hasOwn(RUN, name) ? "run()" : Object.hasOwn(AGENT, name) ? "new Agent()" : undefined;
  if (owner !== undefined) return `pass it to ${owner}`;
  for (const [group, names] of Object.entries(GROUPS))
    if (Object.hasOwn(names, name)) return `use ${group}: { ${name}: … }`;
  const found = findSpelling(SPELLINGS, name);
  if (found !== undefined) return found;
  const setting =
    nearestName(name, Object.keys({ ...RUN, ...AGENT })) === undefined && nearestName(name, Object.keys(SETTINGS));
  if (setting) return `use settings: { ${setting}: … }`;
  return Object.hasOwn(GEMINI_OPTIONS, name) ? `use model: gemini(id, { ${name}: … })` : undefined;
}

/** Checks what TypeScript would check of an agent's options. @throws {TypeError} Naming the option, and what to write instead. */
export function checkAgentOptions(options: AgentOptions): void {
  check("new Agent()", options, AGENT);
  const { observers } = options;
  if (observers !== undefined && !Array.isArray(observers))
    throw new TypeError("observers must be a list: observers: [observer]");
  for (const [index, observer] of (observers ?? []).entries())
    if (!isObject(observer))
      throw new TypeError(`observers[${index}] must be an object with methods, got ${describeType(observer)}`);
  const model: unknown = options.model;
  if (typeof model === "string" || (isObject(model) && typeof model["respond"] === "function")) return;
  throw new TypeError(
    'new Agent(): model must be a model id, such as "gemini-flash-latest", or made by gemini(); geminiApi() makes an endpoint',
  );
}

/** Checks the options of a method that starts a run. @throws {TypeError} As {@link checkAgentOptions}. */
export function readRunOptions<Method extends keyof MethodOptions>(
  options: unknown = {},
  method: Method,
): AnyRunOptions & MethodOptions[Method] {
  check(`${method}()`, options, { ...RUN, ...METHODS[method] });
  // The element of an OptionsArgument, whose type depends on a context that is not known where it is read.
  return options as AnyRunOptions & MethodOptions[Method];
}

function check(where: string, options: unknown, names: { readonly [name: string]: true }): void {
  if (isStandardSchema(options)) throw new TypeError(`${where}: the options are a schema: use { output: schema }`);
  checkOptions(where, options, names, advise);
  // As just checked.
  const { settings, limits, hooks, stopWhen, output, guardrails, approve, signal } = options as AnyRunOptions;
  if (settings !== undefined) checkOptions("settings", settings, SETTINGS, SETTING_SPELLINGS);
  if (limits !== undefined) checkOptions("limits", limits, LIMITS, LIMIT_SPELLINGS);
  if (hooks !== undefined) checkOptions("hooks", hooks, HOOKS);
  const functions = {
    "hooks.prepareTurn": hooks?.prepareTurn,
    "hooks.beforeCall": hooks?.beforeCall,
    "hooks.afterCall": hooks?.afterCall,
    approve,
  };
  for (const [name, given] of Object.entries(functions)) checkValue(name, given, [], "function");
  if (guardrails !== undefined) checkGuardrails(guardrails);
  if (signal !== undefined && typeof signal?.addEventListener !== "function")
    throw new TypeError("signal must be an AbortSignal, such as controller.signal");
  if (stopWhen !== undefined && !Array.isArray(stopWhen))
    throw new TypeError("stopWhen must be a list of rules; for a number of turns, use limits: { turns: … }");
  // Of the AI SDK: `{ schema }`, `Output.object()`, and `jsonSchema()`.
  if (
    isObject(output) &&
    !("~standard" in output) &&
    ("schema" in output || "responseFormat" in output || "jsonSchema" in output)
  )
    throw new TypeError("output must be the schema itself: output: schema");
}

/** A guardrail that is passed in another way would not be asked. */
function checkGuardrails(guardrails: Guardrails): void {
  if (Array.isArray(guardrails)) throw new TypeError("guardrails must be { input: […], output: […] }");
  checkOptions("guardrails", guardrails, GUARDRAILS);
  checkValue("guardrails.streaming", guardrails.streaming, ["hold", "show"]);
  for (const side of ["input", "output"] as const) {
    const list: unknown = guardrails[side] ?? [];
    if (Array.isArray(list) && list.every(isGuardrail)) continue;
    throw new TypeError(`guardrails.${side} must be a list of { name: "…", check: function }`);
  }
  for (const { name, lookback = 0 } of guardrails.output ?? [])
    if (!Number.isSafeInteger(lookback) || lookback < 0)
      throw new TypeError(`lookback of the output guardrail "${name}" must be a whole number of characters, 0 or more`);
}

function isGuardrail(given: unknown): boolean {
  return isObject(given) && typeof given["name"] === "string" && typeof given["check"] === "function";
}

const TURN_SPELLINGS: Spellings = {
  "use tools, a list of names": "activeTools",
  "use contents": "messages",
  ...SPELLINGS,
};
const { cachedContent: _, ...TURN_SETTINGS } = SETTINGS;
const TURN: OptionNames<TurnChanges> = namesIn("model instructions tools toolChoice settings contents");

/** Checks what `prepareTurn` returned. @throws {TypeError} */
export function checkTurnChanges(changes: TurnChanges): void {
  checkOptions("prepareTurn", changes, TURN, TURN_SPELLINGS);
  if (changes.settings !== undefined)
    checkOptions("prepareTurn: settings", changes.settings, TURN_SETTINGS, SETTING_SPELLINGS);
}
