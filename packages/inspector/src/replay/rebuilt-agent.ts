import { Agent, type AnyTool, type BuiltInTool, defineTool, type Model, ToolError } from "@pollux/core";
import { type RecordedCall, recordedCalls, RecordedOutcomes } from "@pollux/core/rehearsal";
import type { FunctionDeclaration, WireTool } from "@pollux/core/wire";
import { isFields } from "../inspection/read-values.ts";
import { stepsOfRun } from "../inspection/turn-step.ts";
import { firstHead, type Kept, outputOf, limitsOf, maxRepeatsOf } from "./kept-head.ts";
import type { RequestHead } from "./request-head.ts";

/** An agent that repeats a run: the same requests, and calls with their recorded outcomes. */
export interface RebuiltAgent {
  readonly agent: Agent;
  readonly output: RequestHead["output"];
  /** Parts of the original agent that it lacks. */
  readonly notes: readonly string[];
}

/** How a rebuilt agent differs from the original. */
export interface RebuiltChanges {
  readonly instructions?: string | undefined;
  /** Names of the functions to keep. */
  readonly tools?: readonly string[] | undefined;
  /** The run continues from this turn: calls raise no questions, and the recorded limits don't apply. */
  readonly goesOnFrom?: number | undefined;
}

/** Most new turns of a run that continues. */
const MAX_NEW_TURNS = 25;

/** Rebuilds the agent of a run from its first kept request, or from the log alone. It has no code of the original and runs no tool. */
export function rebuildAgent(kept: Kept, model: Model, changes: RebuiltChanges = {}): RebuiltAgent {
  const { fold, run } = kept;
  const head = firstHead(kept);
  const calls = recordedCalls(fold.entries);
  const own = calls.filter(({ runId }) => runId === run.runId);
  const outcomes = new RecordedOutcomes(calls);
  const declared = head?.functions ?? [];
  const named = new Set(declared.map(({ name }) => name));
  const undeclared = [...new Set(own.map(({ name }) => name))].filter((name) => isToolName(name) && !named.has(name));
  const { goesOnFrom } = changes;
  const questions = goesOnFrom === undefined ? questionsIn(own) : NO_QUESTIONS;
  const functions = [
    ...declared,
    // Without a request, the declarations are unknown, so each call counts as declared.
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
    settings: head?.settings,
    ...(goesOnFrom === undefined
      ? {
          limits: {
            turns: Infinity,
            toolCalls: Infinity,
            ...limitsOf(run),
            repeats: maxRepeatsOf(run, own) ?? Infinity,
          },
        }
      : { limits: { turns: goesOnFrom + MAX_NEW_TURNS } }),
  });
  return { agent, output: outputOf(kept, head), notes: notesOn(kept, head) };
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
    maxModelRetries: Infinity,
    ...(!outside.has(name) && {
      run: (input: unknown) => {
        const outcome = outcomes.next(name, input)?.outcome;
        if (outcome === undefined)
          throw new ToolError(`${name} was not called with these arguments when the session was recorded`);
        if (outcome.ok) return outcome.output;
        throw new ToolError(outcome.message);
      },
    }),
  });
  // The declaration as sent, without converting its schema again.
  return isFields(declaration.parametersJsonSchema) || isFields(declaration.parameters)
    ? { ...tool, name, declaration }
    : tool;
}

const ANY_OBJECT = { type: "object", properties: {}, additionalProperties: true };

function isToolName(name: string): boolean {
  return /^[A-Za-z_][\w.:-]{0,63}$/.test(name);
}

function builtInTool(wire: WireTool): BuiltInTool {
  // Built-in tools that this release doesn't know are sent, too.
  const [name = "googleSearch"] = Object.keys(wire) as BuiltInTool["name"][];
  return { kind: "built-in", name, wire };
}

/** Tools whose calls need an answer from outside. */
interface ToolQuestions {
  readonly approval: ReadonlySet<string>;
  readonly outside: ReadonlySet<string>;
}

const NO_QUESTIONS: ToolQuestions = { approval: new Set(), outside: new Set() };

/** A turn has a route step if one of its calls may need an answer, so tools called in a turn without one need none. */
function questionsIn(calls: readonly RecordedCall[]): ToolQuestions {
  const namesOf = (wanted: string): string[] => calls.filter(({ route }) => route === wanted).map(({ name }) => name);
  const unasked = new Set(calls.filter(({ route }) => route === undefined).map(({ name }) => name));
  const outside = new Set(namesOf("ask-outcome"));
  const maybe = calls.filter(({ name, route }) => route !== undefined && !unasked.has(name) && !outside.has(name));
  return { outside, approval: new Set([...namesOf("ask-approval"), ...maybe.map(({ name }) => name)]) };
}

function notesOn({ fold, run }: Kept, head: RequestHead | undefined): readonly string[] {
  const kinds = new Set(stepsOfRun(fold, run).map(({ place }) => place.kind));
  const missing = [
    kinds.has("guard") && "guardrails",
    kinds.has("hook") && "hooks",
    kinds.has("compact") && "compaction",
  ].filter((what) => what !== false);
  return [
    head === undefined &&
      "The run's requests were not kept, so its instructions and declarations are unknown: see keepExchanges.",
    missing.length > 0 &&
      `The run had ${missing.join(" and ")}, which the log doesn't contain: pass the agent's file with --agent.`,
    head !== undefined &&
      head.unknown.length > 0 &&
      `No option of an agent sets these fields of the request: ${head.unknown.join(", ")}.`,
  ].filter((note) => note !== false);
}
