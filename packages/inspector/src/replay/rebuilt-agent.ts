import { Agent, type AnyTool, type BuiltInTool, defineTool, type Model, ToolFailure } from "@pollux/core";
import { parseStepName } from "@pollux/core/durable";
import type { FunctionDeclaration, WireTool } from "@pollux/core/wire";
import type { ExchangeFold } from "../inspection/exchange-fold.ts";
import { fieldsOf, isFields, numberOf, textOf } from "../inspection/read-values.ts";
import type { RunFold } from "../inspection/run-fold.ts";
import { stepsOf } from "../inspection/run-steps.ts";
import type { SessionFold } from "../inspection/session-fold.ts";
import { callsOf, keyOf, type RecordedCall, RecordedOutcomes } from "./recorded-calls.ts";
import { readHead, type RequestHead } from "./request-head.ts";

/** What an agent is rebuilt from. */
export interface Kept {
  readonly fold: SessionFold;
  readonly run: RunFold;
  readonly exchanges: ExchangeFold;
}

/** An agent that does what one did: its requests, and calls with their recorded outcomes. */
export interface RebuiltAgent {
  readonly agent: Agent;
  readonly output: RequestHead["output"];
  /** What is missing of the agent that it stands for. */
  readonly notes: readonly string[];
}

/** What a rebuilt agent is to do differently. */
export interface RebuiltChanges {
  readonly instructions?: string | undefined;
  /** Names of the functions that it has; others are left out. */
  readonly tools?: readonly string[] | undefined;
  /** It goes on from this turn: questions about calls are not asked, and other limits end the run than those that did. */
  readonly goesOnFrom?: number | undefined;
}

/** Turns of a run that goes on. */
const MAX_NEW_TURNS = 25;

/** Rebuilds the agent of a run from its first kept request, or from the log alone. It has no code of the real one: no tool is run. */
export function rebuildAgent(kept: Kept, model: Model, changes: RebuiltChanges = {}): RebuiltAgent {
  const { fold, run } = kept;
  const head = firstHead(kept);
  const calls = fold.runs.flatMap((one) => callsOf(fold, one));
  const own = calls.filter(({ runId }) => runId === run.runId);
  const outcomes = new RecordedOutcomes(calls);
  const declared = head?.functions ?? [];
  const named = new Set(declared.map(({ name }) => name));
  const undeclared = [...new Set(own.map(({ name }) => name))].filter((name) => isToolName(name) && !named.has(name));
  const { goesOnFrom } = changes;
  const questions = goesOnFrom === undefined ? questionsIn(own) : NO_QUESTIONS;
  const functions = [
    ...declared,
    // A model can call what it was not offered; without a request it is not known which.
    ...(head === undefined ? undeclared.map((name) => ({ name, description: name })) : []),
  ].filter(({ name }) => changes.tools === undefined || changes.tools.includes(name));
  const instructions = changes.instructions ?? head?.instructions;
  const agent = new Agent({
    model,
    name: agentName(kept),
    tools: [
      ...functions.map((declaration) => recordedTool(declaration, outcomes, questions)),
      ...(head?.builtIns ?? []).map(builtInTool),
    ],
    ...(instructions !== undefined && { instructions }),
    ...(head?.toolChoice !== undefined && changes.tools === undefined && { toolChoice: head.toolChoice }),
    ...head?.settings,
    ...(goesOnFrom === undefined
      ? { limits: limitsOf(run), maxRepeats: maxRepeatsOf(run, own) }
      : { limits: { turns: goesOnFrom + MAX_NEW_TURNS } }),
  });
  return { agent, output: outputOf(kept, head), notes: notesOn(kept, head) };
}

/** The head of the run's first request, if it was kept. */
export function firstHead({ exchanges, run }: Pick<Kept, "exchanges" | "run">): RequestHead | undefined {
  const n = firstExchange({ exchanges, run });
  const body = n === undefined ? undefined : exchanges.body(n);
  if (body === undefined) return undefined;
  try {
    return readHead(JSON.parse(new TextDecoder().decode(body)));
  } catch {
    return undefined;
  }
}

/** The kept exchange of the run's first request for an answer. */
export function firstExchange({ exchanges, run }: Pick<Kept, "exchanges" | "run">): number | undefined {
  const n = exchanges.kept.exchanges.findIndex(
    ({ runId, step }) => runId === run.runId && parseStepName(step.name).kind === "model",
  );
  return n === -1 ? undefined : n;
}

function agentName({ exchanges, run }: Kept): string {
  const name = exchanges.kept.exchanges.findLast(({ runId }) => runId === run.runId)?.agent;
  return name === undefined || name === "" ? "agent" : name;
}

function recordedTool(
  declaration: FunctionDeclaration,
  outcomes: RecordedOutcomes,
  { approval, outside }: ToolQuestions,
): AnyTool {
  const { name } = declaration;
  const tool = defineTool({
    name: isToolName(name) ? name : "unnamed",
    description: declaration.description || name,
    input: ANY_OBJECT,
    ...(approval.has(name) && { needsApproval: true }),
    maxRetries: Infinity,
    ...(!outside.has(name) && {
      run: (input: unknown) => {
        const response = outcomes.next(name, input);
        if (response === undefined)
          throw new ToolFailure(`${name} was not called with these arguments when the session was recorded`);
        const { output, error } = fieldsOf(response);
        if (error === undefined) return output;
        throw new ToolFailure(typeof error === "string" ? error : JSON.stringify(error));
      },
    }),
  });
  // As it was sent, whatever an author's schema would be turned into now.
  return isFields(declaration.parametersJsonSchema) || isFields(declaration.parameters)
    ? { ...tool, name, declaration }
    : tool;
}

const ANY_OBJECT = { type: "object", properties: {}, additionalProperties: true };

function isToolName(name: string): boolean {
  return /^[A-Za-z_][\w.:-]{0,63}$/.test(name);
}

function builtInTool(wire: WireTool): BuiltInTool {
  // A tool of the service that this release doesn't know is sent all the same.
  const [name = "googleSearch"] = Object.keys(wire) as BuiltInTool["name"][];
  return { kind: "built-in", name, wire };
}

/** Tools about whose calls somebody is asked. */
interface ToolQuestions {
  readonly approval: ReadonlySet<string>;
  readonly outside: ReadonlySet<string>;
}

const NO_QUESTIONS: ToolQuestions = { approval: new Set(), outside: new Set() };

/** A turn has a route step if one of its calls may need an answer: so has a tool that a turn without one calls no question. */
function questionsIn(calls: readonly RecordedCall[]): ToolQuestions {
  const asked = (what: string): string[] => calls.filter(({ route }) => route === what).map(({ name }) => name);
  const unasked = new Set(calls.filter(({ route }) => route === undefined).map(({ name }) => name));
  const outside = new Set(asked("ask-outcome"));
  const maybe = calls.filter(({ name, route }) => route !== undefined && !unasked.has(name) && !outside.has(name));
  return { outside, approval: new Set([...asked("ask-approval"), ...maybe.map(({ name }) => name)]) };
}

/** The limit that ended the run, and no other. */
function limitsOf({ end = {} }: RunFold): { readonly [name: string]: number } {
  const usage = fieldsOf(end["usage"]);
  const used: { readonly [name: string]: number | undefined } = {
    turns: numberOf(end["turns"]),
    toolCalls: numberOf(end["toolCalls"]),
    inputTokens: numberOf(usage["inputTokens"]),
    outputTokens: (numberOf(usage["outputTokens"]) ?? 0) + (numberOf(usage["thoughtTokens"]) ?? 0),
    totalTokens: numberOf(usage["totalTokens"]),
  };
  const limit = textOf(end["limit"]) ?? "";
  const reached = Object.hasOwn(used, limit) ? used[limit] : undefined;
  return { turns: Infinity, toolCalls: Infinity, ...(reached !== undefined && { [limit]: reached }) };
}

/** Turns at the end of the run with the same calls, if these have ended it. */
function maxRepeatsOf(run: RunFold, calls: readonly RecordedCall[]): number {
  if (run.end?.["stopReason"] !== "repeated-calls") return Infinity;
  const byTurn = new Map<number, string>();
  for (const { turn, name, args } of calls) byTurn.set(turn, `${byTurn.get(turn) ?? ""}\n${keyOf(name, args)}`);
  const turns = [...byTurn.values()];
  const last = turns.at(-1);
  const other = turns.findLastIndex((one) => one !== last);
  return Math.max(1, turns.length - 1 - other);
}

/** Typed output is asked for in a request of its own, or in each of them. */
function outputOf({ fold, run, exchanges }: Kept, head: RequestHead | undefined): RequestHead["output"] {
  if (head?.output !== undefined) return head.output;
  const isOwn = (name: string): boolean => {
    const step = parseStepName(name);
    return step.kind === "model" && step.phase === "output";
  };
  if (!stepsOf(fold, run).some(({ name }) => isOwn(name))) return undefined;
  const n = exchanges.kept.exchanges.findIndex(({ runId, step }) => runId === run.runId && isOwn(step.name));
  const body = n === -1 ? undefined : exchanges.body(n);
  return (body && readHead(JSON.parse(new TextDecoder().decode(body))).output) ?? "json";
}

function notesOn({ fold, run }: Kept, head: RequestHead | undefined): readonly string[] {
  const kinds = new Set(stepsOf(fold, run).map(({ name }) => parseStepName(name).kind));
  const missing = [
    ...(kinds.has("guard") ? ["guardrails"] : []),
    ...(kinds.has("hook") ? ["hooks"] : []),
    ...(kinds.has("compact") ? ["compaction"] : []),
  ];
  return [
    ...(head === undefined
      ? ["The run's requests were not kept, so its instructions and declarations are not known: see keepExchanges."]
      : []),
    ...(missing.length > 0
      ? [`The run had ${missing.join(" and ")}, which no log holds: name the agent's file with --agent.`]
      : []),
    ...(head !== undefined && head.unknown.length > 0
      ? [`These fields of the request could not be given to an agent: ${head.unknown.join(", ")}.`]
      : []),
  ];
}
