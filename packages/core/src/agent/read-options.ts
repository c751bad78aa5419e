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
import { checkLimits, type Limits } from "../loop/limits.ts";
import type { Hooks, TurnChanges } from "../loop/loop-input.ts";
import { GEMINI_OPTIONS, GEMINI_SPELLINGS } from "../model/gemini-model.ts";
import type { ModelSettings } from "../model/settings.ts";
import { hasAnswers, type RunRequest, type SessionConfig, type SessionHost } from "../session/runs/session-host.ts";
import { MemoryStore } from "../session/store/memory-store.ts";
import type { SessionStore } from "../session/store/store.ts";
import { checkReads } from "../tool/reads.ts";
import { isStandardSchema } from "../tool/schema/standard-schema.ts";
import type { Content } from "../wire/types/content.ts";
import type {
  AgentOptions,
  AnyRunOptions,
  SharedOptions,
  ContinueOptions,
  RegenerateOptions,
  ResumeOptions,
  RewindOptions,
  SendOptions,
  SessionOptions,
} from "./options.ts";
import { buildContents, readHistory, readMessage } from "./run-input.ts";

/** Names of all settings; adding a setting without listing it here does not compile. */
const SETTINGS: OptionNames<ModelSettings> = namesIn(
  "thinking includeThoughts temperature topP topK maxOutputTokens stopSequences seed presencePenalty frequencyPenalty",
  "responseModalities imageConfig speechConfig audioTranscriptionConfig outputConfig mediaResolution safetySettings",
  "location serviceTier store cachedContent labels responseLogprobs logprobs streamFunctionCallArguments",
);
const HOOK_NAMES = ["prepareTurn", "beforeCall", "afterCall"] as const;
const HOOKS: OptionNames<Hooks> = namesIn(...HOOK_NAMES);
const LIMITS: OptionNames<Limits> = namesIn(
  "turns toolCalls inputTokens outputTokens totalTokens wallTimeMs cost concurrentCalls repeats restarts requestsPerTurn",
);

const SHARED: OptionNames<SharedOptions> = namesIn(
  "instructions tools settings toolChoice limits compaction prices stopWhen hooks approve guardrails",
);
const AGENT: OptionNames<AgentOptions> = {
  ...SHARED,
  ...namesIn("model endpoint name output observers logger afterUntrusted"),
};
const RUN: OptionNames<AnyRunOptions> = {
  ...SHARED,
  ...namesIn("context extraTools output signal metadata runId parent read steps rehearsal reads historyReads"),
};

/** Options with members of their own, which a run overrides one by one. */
const GROUPS = { settings: SETTINGS, limits: LIMITS, hooks: HOOKS };
const GROUP_NAMES = ["settings", "limits", "hooks"] as const;

const SESSION: OptionNames<SessionOptions> = namesIn(
  "id store history historyReads agents limits ownerBudget leaseMs title owner metadata",
);
const SEND: OptionNames<SendOptions> = namesIn("whileRunning unfinished keepInterrupted replaces");
const RESUME: OptionNames<ResumeOptions> = namesIn("approvals outcomes by anyLoopVersion");

const REWIND: OptionNames<RewindOptions> = namesIn("before");
const REGENERATE: OptionNames<RegenerateOptions> = namesIn("whileRunning messageId");
const CONTINUE: OptionNames<ContinueOptions> = { ...SEND, ...RESUME, message: true };

type Method = "run" | "send" | "rewind" | "regenerate" | "resume" | "continue";

/** The options that each method takes in addition to a run's. */
const METHODS: Readonly<Record<Method, object>> = {
  run: {},
  send: SEND,
  rewind: REWIND,
  regenerate: REGENERATE,
  resume: RESUME,
  continue: CONTINUE,
};

const GUARDRAILS: OptionNames<Guardrails> = namesIn("input output streaming");

const ONE_ANSWER = "a run follows one answer: run again for another";
const LIMIT_SPELLINGS: Spellings = {
  "use turns": "maxSteps maxTurns maxIterations",
  "use wallTimeMs": "timeout timeoutMs",
  "use repeats": "maxRepeats",
  "use restarts": "maxRestarts",
  "use requestsPerTurn": "maxRequestsPerTurn",
  "use concurrentCalls": "concurrency maxConcurrency",
};
const SETTING_SPELLINGS: Spellings = {
  "use maxOutputTokens": "maxTokens max_tokens",
  "use thinking": "thinkingConfig reasoning",
  [ONE_ANSWER]: "candidateCount n",
};

/** Advice for members of a group that are given outside it. */
function besides(group: string, spellings: Spellings): Spellings {
  const entries = Object.entries(spellings);
  return Object.fromEntries(
    entries.map(([ours, theirs]) => [ours.replace(/^use (\w+)$/, `use ${group}: { $1: … }`), theirs]),
  );
}

const SPELLINGS: Spellings = {
  ...GEMINI_SPELLINGS,
  ...besides("limits", LIMIT_SPELLINGS),
  ...besides("settings", SETTING_SPELLINGS),
  "use instructions": "system systemPrompt systemInstruction",
  "pass it as the first argument of run()": "prompt messages contents input",
  "use output: schema":
    "schema outputSchema outputType responseSchema responseJsonSchema responseFormat response_format experimental_output",
  "use signal, an option of run()": "abortSignal",
  "pass it to session.resume()": "approvals outcomes",
  "use toolChoice": "toolConfig",
  "use tools: [handoff(agent)]": "handoffs subAgents sub_agents",
  "use tools, with mcpTools() of @pollux/tools/mcp": "mcpServers toolsets",
  "use endsRun, an option of a tool": "toolUseBehavior",
  "pass it to handoff() or asTool()": "description handoffDescription",
  "use guardrails: { input: […] }": "inputGuardrails",
  "use guardrails: { output: […] }": "outputGuardrails",
  "use hooks: { prepareTurn }": "prepareStep activeTools beforeModelCallback",
  "use hooks: { beforeCall }": "beforeToolCallback",
  "use hooks: { afterCall }": "afterToolCallback",
  "use hooks or observers": "middleware",
  "use observers": "onStepFinish onFinish onChunk onError callbacks telemetry experimental_telemetry",
  "use context, an option of run()": "experimental_context runtimeContext deps",
  "use agent.session({ history })": "history",
  "use agent.session({ id })": "sessionId threadId conversationId",
  "use agent.session({ store })": "memory checkpointer sessionService",
  "use settings: { temperature: … }": "config generationConfig generateContentConfig modelSettings providerOptions",
};
/** Advice for an option that has another library's name, or belongs elsewhere. */
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

/** Checks an agent's options as TypeScript would. @throws {TypeError} Naming the option, and what to write instead. */
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
export function readRunOptions(options: unknown = {}, method: Method): AnyRunOptions {
  const names = { ...RUN, ...METHODS[method] };
  check(`${method}()`, options, names);
  // The element of an OptionsArgument, whose type depends on a context that is not known here.
  return readMembers(options as AnyRunOptions, names);
}

function check(where: string, options: unknown, names: { readonly [name: string]: true }): void {
  if (isStandardSchema(options)) throw new TypeError(`${where}: the options are a schema: use { output: schema }`);
  checkOptions(where, options, names, advise);
  // As just checked.
  const known = options as AnyRunOptions & Pick<AgentOptions, "afterUntrusted">;
  const { settings, limits, hooks, stopWhen, output, guardrails, approve, signal, afterUntrusted } = known;
  if (afterUntrusted !== undefined) checkValue("afterUntrusted", afterUntrusted, ["ask", "deny", "allow"]);
  if (settings !== undefined) checkOptions("settings", settings, SETTINGS, SETTING_SPELLINGS);
  if (limits !== undefined) checkOptions("limits", limits, LIMITS, LIMIT_SPELLINGS);
  if (hooks !== undefined) checkOptions("hooks", hooks, HOOKS);
  for (const name of HOOK_NAMES) checkValue(`hooks.${name}`, hooks?.[name], [], "function");
  checkValue("approve", approve, [], "function");
  checkReads("reads", known.reads);
  checkReads("historyReads", known.historyReads);
  if (guardrails !== undefined) checkGuardrails(guardrails);
  if (signal !== undefined && typeof signal?.addEventListener !== "function")
    throw new TypeError("signal must be an AbortSignal, such as controller.signal");
  if (stopWhen !== undefined && !Array.isArray(stopWhen))
    throw new TypeError("stopWhen must be a list of rules; for a number of turns, use limits: { turns: … }");
  // The AI SDK's `{ schema }`, `Output.object()` and `jsonSchema()`.
  if (
    isObject(output) &&
    !("~standard" in output) &&
    ("schema" in output || "responseFormat" in output || "jsonSchema" in output)
  )
    throw new TypeError("output must be the schema itself: output: schema");
}

/** A guardrail in any other shape would never run. */
function checkGuardrails(guardrails: Guardrails): void {
  if (Array.isArray(guardrails)) throw new TypeError("guardrails must be { input: […], output: […] }");
  checkOptions("guardrails", guardrails, GUARDRAILS);
  checkValue("guardrails.streaming", guardrails.streaming, ["hold", "show"]);
  for (const side of ["input", "output"] as const) {
    const list: unknown = guardrails[side] ?? [];
    const isGuardrail = (one: unknown): boolean =>
      isObject(one) && typeof one["name"] === "string" && typeof one["check"] === "function";
    if (Array.isArray(list) && list.every(isGuardrail)) continue;
    throw new TypeError(`guardrails.${side} must be a list of { name: "…", check: function }`);
  }
  for (const { name, lookback = 0 } of guardrails.output ?? [])
    if (!Number.isSafeInteger(lookback) || lookback < 0)
      throw new TypeError(`lookback of the output guardrail "${name}" must be a whole number of characters, 0 or more`);
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

/** Reads the options of a session. @throws {TypeError | ConfigurationError} For options that cannot work. */
export function readSessionOptions(
  host: SessionHost<AnyRunOptions>,
  options: SessionOptions,
): { readonly id: string; readonly store: SessionStore; readonly config: SessionConfig } {
  checkOptions("session()", options, SESSION, { "use id": "sessionId", "use history": "messages" });
  const { id = crypto.randomUUID(), store = new MemoryStore(), limits, ownerBudget, leaseMs, historyReads } = options;
  if (typeof store.records !== "function")
    throw new TypeError('store must be a store, such as new SqliteStore("chats.sqlite")');
  if (id.trim() === "") throw new TypeError("a session's id must not be empty");
  if (limits !== undefined) checkLimits(limits);
  if (ownerBudget !== undefined && typeof ownerBudget !== "function")
    throw new TypeError("ownerBudget must be a function that returns { maxCost, spent }");
  if (leaseMs !== undefined && !(Number.isFinite(leaseMs) && leaseMs >= 100))
    throw new TypeError(`leaseMs must be at least 100 (milliseconds), got ${leaseMs}`);
  checkReads("historyReads", historyReads);
  if (ownerBudget !== undefined) host.requirePrices("ownerBudget");
  if (limits?.cost !== undefined) host.requirePrices("limits.cost");
  const { title, owner, metadata } = options;
  const history = options.history && readHistory(options.history);
  return {
    id,
    store,
    config: { limits, ownerBudget, leaseMs, about: { title, owner, metadata }, history, historyReads },
  };
}

/** Builds the request for the next run from a method's options. @param message - Of `send`. @throws {TypeError} For a contradiction. */
export function readRequest(
  host: SessionHost<AnyRunOptions>,
  method: "send" | "regenerate" | "resume" | "continue",
  given: unknown,
  message?: readonly Content[],
): Omit<RunRequest<AnyRunOptions>, "emitters"> {
  const {
    message: continued,
    messageId,
    whileRunning = "refuse",
    unfinished = "close",
    keepInterrupted = true,
    replaces: replaced,
    approvals,
    outcomes,
    by,
    anyLoopVersion = false,
    ...options
  }: AnyRunOptions & ContinueOptions & Pick<RegenerateOptions, "messageId"> = readRunOptions(given, method);
  const isContinued = method === "continue" && continued !== undefined;
  const contents = isContinued ? buildContents(continued, host.model) : message;
  host.check(options);
  checkValue("whileRunning", whileRunning, ["refuse", "steer", "wait", "replace"]);
  checkValue("unfinished", unfinished, ["close", "refuse", "steer"]);
  const answers = { approvals, outcomes, by };
  const replaces =
    method === "regenerate" ? { messageId } : replaced === undefined ? undefined : { messageId: replaced };
  if (replaces !== undefined && whileRunning === "steer")
    throw new TypeError('whileRunning: a message cannot "steer" a run and take the place of another message');
  if (replaces !== undefined && hasAnswers(answers))
    throw new TypeError("replaces takes back the waiting calls, so they cannot be answered as well");
  return {
    message: contents,
    read: contents && readMessage(contents, options),
    replaces,
    answers,
    whileRunning,
    unfinished,
    keepInterrupted,
    anyLoopVersion,
    runId: options.runId ?? crypto.randomUUID(),
    metadata: options.metadata,
    options,
    signal: options.signal,
  };
}

/** An agent's options, overridden by the run's options that are set. */
export function overrideOptions(agent: AgentOptions, run: AnyRunOptions): Omit<AgentOptions, "tools"> & AnyRunOptions {
  const combined = { ...readMembers(agent, AGENT), ...readMembers(run, RUN) };
  for (const group of GROUP_NAMES) {
    const [own, given] = [agent[group], run[group]];
    if (own === undefined || given === undefined) continue;
    const names = GROUPS[group];
    combined[group] = { ...readMembers(own, names, true), ...readMembers(given, names, true) };
  }
  // The names match the types'.
  return combined as unknown as AgentOptions & AnyRunOptions;
}

/**
 * The members that are set, by name: an instance of a class may have options from its class, and other members of its own.
 *
 * @param areBound - Functions keep their object as `this`.
 */
function readMembers(options: object, names: object, areBound: boolean = false): { [name: string]: unknown } {
  const members: { [name: string]: unknown } = {};
  for (const name in names) {
    const value: unknown = Reflect.get(options, name);
    if (value !== undefined) members[name] = areBound && typeof value === "function" ? value.bind(options) : value;
  }
  return members;
}
