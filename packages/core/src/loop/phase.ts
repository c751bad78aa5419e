import type { ModelRequest } from "../model/model.ts";
import type { ModelSettings } from "../model/settings.ts";
import { OUTPUT_REQUEST } from "../tool/model-texts.ts";
import type { Content } from "../wire/types/content.ts";
import type { FunctionDeclaration, WireTool } from "../wire/types/declaration.ts";
import type { PhaseKind } from "../durable/run-log.ts";
import type { LoopInput, OutputPlan, ToolChoice } from "./loop-input.ts";
import type { RunState } from "./run-state.ts";
import { userText } from "./transcript.ts";

/** One stretch of a run that sends the same instructions and tools: the work itself, or putting its answer into a schema. */
export interface Phase {
  readonly kind: PhaseKind;
  /** What is said, growing. Those of the work are the history itself, of which a compacted run sends only the end. */
  readonly contents: Content[];
  readonly functions: readonly FunctionDeclaration[];
  readonly builtIns: readonly WireTool[];
  readonly toolChoice: ToolChoice;
  readonly output: OutputPlan | undefined;
}

/** The work: all tools, and the schema where it can go along. */
export function workPhase(input: LoopInput, state: RunState): Phase {
  const output = input.output?.native === true ? input.output : undefined;
  return {
    kind: "work",
    contents: state.contents,
    functions: input.toolset.functions,
    builtIns: input.toolset.builtIns,
    toolChoice: input.toolChoice,
    output,
  };
}

/**
 * The last request of a run whose schema could not go along: no tools, the conversation so far, and the schema. What it
 * says is not part of the history: the prose answer and its citations are.
 */
export function outputPhase(state: RunState, output: OutputPlan): Phase {
  const contents = state.sendable().map(withoutServerTools);
  contents.push(userText(OUTPUT_REQUEST));
  return { kind: "output", contents, functions: [], builtIns: [], toolChoice: "auto", output };
}

/** The request of one turn. */
export function buildModelRequest(input: LoopInput, state: RunState, phase: Phase, firstTurn: boolean): ModelRequest {
  return {
    instructions: input.instructions,
    contents: phase.kind === "work" ? state.sendable() : [...phase.contents],
    functions: phase.functions,
    builtIns: phase.builtIns,
    calling: callingFor(phase.toolChoice, firstTurn),
    output: phase.output === undefined ? undefined : { schema: phase.output.schema },
    settings: phase.kind === "work" ? input.settings : withoutCache(input.settings),
  };
}

/** A cache may hold tools, which the request for the output must not have. */
function withoutCache({ cachedContent: _, ...settings }: ModelSettings): ModelSettings {
  return settings;
}

/** Forcing a call holds for the first turn only: a model that must call never answers. */
export function callingFor(choice: ToolChoice, firstTurn: boolean): ModelRequest["calling"] {
  if (choice === "none") return { mode: "NONE" };
  if (choice === "auto" || !firstTurn) return undefined;
  return choice === "required" ? { mode: "ANY" } : { mode: "ANY", allowedFunctionNames: choice.only };
}

/** Without built-in tools in the request, the parts they left behind have no place; leaving both of a pair out is allowed. */
export function withoutServerTools(content: Content): Content {
  const kept = content.parts.filter((part) => part.toolCall === undefined && part.toolResponse === undefined);
  if (kept.length === content.parts.length || kept.length === 0) return content;
  return { ...content, parts: kept };
}
