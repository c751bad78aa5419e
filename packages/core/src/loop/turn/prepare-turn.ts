import type { PhaseKind, PreparedTurn, PrefixField } from "../../durable/run-log.ts";
import { ConfigurationError } from "../../errors/agent-error.ts";
import { abortable } from "../../internal/abort.ts";
import { isTooDeep, sameJson } from "../../internal/json.ts";
import { isOlderFamily } from "../../model/capabilities.ts";
import type { Model, ModelRequest } from "../../model/model.ts";
import { checkContentsDepth, depthError } from "../../model/request/contents-size.ts";
import type { ModelSettings } from "../../model/settings.ts";
import type { Usage } from "../../model/usage.ts";
import type { AnyTool } from "../../tool/tool.ts";
import type { Toolset } from "../../tool/toolset.ts";
import type { Content } from "../../wire/types/content.ts";
import type {
  LoopInput,
  PreparedRequest,
  RequestPlace,
  SentPrefix,
  ToolChoice,
  TurnPreparer,
  TurnProgress,
} from "../loop-input.ts";
import type { RunContext } from "../run-context.ts";
import type { LoopStep } from "../observers/observer.ts";
import { stepLogger } from "../single-step.ts";
import { callingFor, checkToolChoice } from "./tool-choice.ts";
import { fitContents, buildOrigin } from "./fit-contents.ts";

/** A turn whose request is about to be sent. */
export interface TurnInfo<Context = unknown> extends RunContext<Context> {
  /** From 1. */
  readonly turn: number;
  /** 0; higher when the turn's answer was unusable and the model is asked again. */
  readonly attempt: number;
  /** `output` for the request that converts the answer to the schema: it takes no tools. Otherwise `work`. */
  readonly phase: PhaseKind;
  /** Id of the agent's model. */
  readonly model: string;
  /** What the request would send, oldest first, including messages that arrived during the run. */
  readonly contents: readonly Content[];
  /** Function calls of the run so far. */
  readonly toolCalls: number;
  /** Sum over the run so far. */
  readonly usage: Usage;
}

/**
 * What one turn does differently. Absent members stay as they are; a setting that is `undefined` is unset. The next turn starts from the
 * agent's options again.
 */
export interface TurnChanges<Context = unknown> extends Omit<ModelSettings, "cachedContent"> {
  /** A model made by `gemini()`, or an id at the agent's endpoint. */
  readonly model?: string | Model | undefined;
  readonly instructions?: string | undefined;
  /**
   * The tools that the model may call: names of the run's tools, and other tools. Names alone leave the declarations in place where
   * the model allows it, so the prefix stays.
   */
  readonly tools?: readonly (string | AnyTool<Context>)[] | undefined;
  /** For this turn, whichever it is. */
  readonly toolChoice?: ToolChoice | undefined;
  /** Sent instead of the history, which keeps everything. */
  readonly contents?: readonly Content[] | undefined;
}

/** Prepares one turn; returns what to change, or nothing. */
export type PrepareTurn<Context = unknown> = (
  turn: TurnInfo<Context>,
) => TurnChanges<Context> | void | undefined | Promise<TurnChanges<Context> | void | undefined>;

/** `prepareTurn`, and what the agent does to carry out its changes. */
export interface TurnOptions {
  readonly prepareTurn: PrepareTurn;
  modelFor(model: string | Model): Model;
  /** @throws {ConfigurationError} For the name of a tool that the run does not have. */
  toolsetFor(tools: readonly (string | AnyTool)[], model: Model): Toolset;
  settingsIn(changes: TurnChanges): ModelSettings;
}

export function turnPreparer(options: TurnOptions): TurnPreparer {
  return {
    prepare: (input, state, request, place, step) => prepareRequest(options, input, state, request, place, step),
    restore: (input, state, record, contents, place) => restoreToolset(options, input, state, record, contents, place),
  };
}

async function prepareRequest(
  options: TurnOptions,
  input: LoopInput,
  state: TurnProgress,
  request: ModelRequest,
  place: RequestPlace,
  step: LoopStep,
): Promise<PreparedRequest> {
  const changes = await askForChanges(options, input, state, request.contents, place, step.signal);
  const { phase } = place;
  checkCache(input, changes, phase);
  const model = changes.model === undefined ? input.model : options.modelFor(changes.model);
  const settings = { ...request.settings, ...options.settingsIn(changes) };
  model.check(settings);
  const { instructions = request.instructions, contents = request.contents } = changes;
  const changed: ModelRequest = {
    ...request,
    instructions,
    contents: fitContents(contents, input.model, state.foreign, buildOrigin(model)),
    settings,
  };
  checkChangedRequest(request, changed);
  const offered = phase === "output" ? undefined : offerTools(options, input, changes, changed, place, model);
  const prepared = offered?.request ?? changed;
  const breaks = phase === "output" ? [] : findBreaks(input, state, prepared, model, changes.contents !== undefined);
  if (breaks.length > 0) {
    const { turns: turn } = state;
    stepLogger(input, turn, step).info(
      { fields: breaks },
      "prepareTurn changed the prefix; the service's implicit cache starts over",
    );
    await step.emit({ type: "prefix-break", turn, fields: breaks });
  }
  const toolset = offered?.toolset;
  const record: PreparedTurn = {
    ...(model !== input.model && { model: { id: model.id, origin: buildOrigin(model) } }),
    ...(toolset !== undefined && { tools: [...toolset.byName.keys()] }),
    ...(breaks.length > 0 && { breaks }),
  };
  return { request: prepared, model, toolset, ...(Object.keys(record).length > 0 && { record }) };
}

/**
 * Checks what `prepareTurn` put into a request; what was there before is known to be sendable.
 *
 * @throws {ConfigurationError} Naming the member.
 */
function checkChangedRequest(before: ModelRequest, after: ModelRequest): void {
  if (after === before) return;
  const known = new Set<unknown>(before.contents);
  checkContentsDepth(after.contents.map((content) => (known.has(content) ? NOTHING : content)));
  const { contents: _before, ...given } = before;
  const { contents: _after, ...changed } = after;
  const names = Object.keys(changed) as (keyof typeof changed)[];
  const name = names.find((one) => changed[one] !== given[one] && isTooDeep(changed[one]));
  if (name !== undefined)
    throw depthError(`The ${name} that prepareTurn returned nest`, "they cannot be sent: flatten them");
}

/** Stands for a content that needs no check, so that the others keep their index. */
const NOTHING: Content = { role: "user", parts: [] };

async function restoreToolset(
  options: TurnOptions,
  input: LoopInput,
  state: TurnProgress,
  { tools = [] }: PreparedTurn,
  contents: readonly Content[],
  place: RequestPlace,
): Promise<Toolset> {
  const { byName } = input.toolset;
  let known = byName;
  if (tools.some((name) => !byName.has(name))) {
    const changes = await askForChanges(options, input, state, contents, place, input.signal);
    const model = changes.model === undefined ? input.model : options.modelFor(changes.model);
    if (changes.tools !== undefined) known = new Map([...byName, ...options.toolsetFor(changes.tools, model).byName]);
  }
  return { ...input.toolset, byName: pickTools(known, tools) };
}

/** Those of the named tools that are known. */
function pickTools(known: Toolset["byName"], names: readonly string[]): Toolset["byName"] {
  const picked = names.flatMap((name) => {
    const tool = known.get(name);
    return tool === undefined ? [] : [[name, tool] as const];
  });
  return new Map(picked);
}

async function askForChanges(
  { prepareTurn }: TurnOptions,
  input: LoopInput,
  { turns: turn, toolCalls, usage }: TurnProgress,
  contents: readonly Content[],
  { phase, attempt }: RequestPlace,
  signal: AbortSignal,
): Promise<TurnChanges> {
  const { identity, context, model } = input;
  const info = { ...identity, context, signal, turn, attempt, phase, model: model.id, contents, toolCalls, usage };
  return (await abortable(Promise.resolve(prepareTurn(info)), signal)) ?? {};
}

/** A cache has its own instructions and tools, for one model. */
function checkCache({ settings }: LoopInput, changes: TurnChanges, phase: PhaseKind): void {
  if (settings.cachedContent === undefined || phase === "output") return;
  const members = ["model", "instructions", "tools", "toolChoice"] as const;
  const changed = members.find((name) => changes[name] !== undefined);
  if (changed !== undefined)
    throw new ConfigurationError(
      `prepareTurn cannot change ${changed} in a run with cachedContent: the cache contains it. Run without the cache.`,
    );
}

/** The request with the tools and the tool choice of the turn. */
function offerTools(
  options: TurnOptions,
  input: LoopInput,
  { tools, toolChoice }: TurnChanges,
  request: ModelRequest,
  place: RequestPlace,
  model: Model,
): { readonly request: ModelRequest; readonly toolset?: Toolset | undefined } | undefined {
  const choice = toolChoice ?? place.toolChoice;
  const isForced = toolChoice !== undefined || place.isFirst;
  if (tools === undefined) {
    if (toolChoice === undefined) return undefined;
    checkToolChoice(toolChoice, input.toolset.byName.keys());
    return { request: { ...request, calling: callingFor(choice, true) } };
  }
  const toolset = options.toolsetFor(tools, model);
  const names = [...toolset.byName.keys()];
  if (isForced) checkToolChoice(choice, names);
  const calling = callingFor(choice, isForced);
  if (!isSubset(toolset, request) || !takesAllowedNames(model))
    return { toolset, request: { ...request, functions: toolset.functions, builtIns: toolset.builtIns, calling } };
  if (names.length === request.functions.length) return { toolset, request: { ...request, calling } };
  if (names.length === 0 || calling?.mode === "NONE")
    return { toolset, request: { ...request, calling: { mode: "NONE" } } };
  const { mode = "VALIDATED", allowedFunctionNames = names } = calling ?? {};
  return { toolset, request: { ...request, calling: { mode, allowedFunctionNames } } };
}

/** True when the declarations can stay, and the turn's functions be allowed by name. */
function isSubset({ functions, builtIns }: Toolset, sent: ModelRequest): boolean {
  const declared = new Map(sent.functions.map((one) => [one.name, one]));
  return (
    sameJson(builtIns, sent.builtIns) &&
    functions.every((one) => {
      const known = declared.get(one.name);
      return known === one || sameJson(known, one);
    })
  );
}

/**
 * Whether a model lets functions be allowed by name without forcing a call.
 *
 * @see https://ai.google.dev/gemini-api/docs/function-calling
 */
function takesAllowedNames({ capabilities: { family, thinking } }: Model): boolean {
  return !isOlderFamily(family) || thinking === "budget";
}

/** Compares a request with the one before it in this process, or with the run's own. */
function findBreaks(
  input: LoopInput,
  state: TurnProgress,
  { instructions, functions, builtIns, contents, calling }: ModelRequest,
  model: Model,
  isEdited: boolean,
): readonly PrefixField[] {
  const isOff = calling?.mode === "NONE" && builtIns.length > 0;
  const now = { model, instructions, functions, builtIns: isOff ? [] : builtIns, contents, isEdited };
  const { toolset } = input;
  const own = { model: input.model, instructions: input.instructions, ...toolset, contents: [], isEdited: false };
  const before: SentPrefix | undefined = state.sent ?? (state.turns > 1 ? own : undefined);
  state.sent = now;
  if (before === undefined) return [];
  const sameBuiltIns = sameJson(before.builtIns, now.builtIns);
  const sameTools = sameJson(before.functions, functions) && (sameBuiltIns || isOff);
  const sameContents =
    !(isEdited || before.isEdited) || before.contents.every((content, index) => content === contents[index]);
  const fields: readonly (readonly [PrefixField, boolean])[] = [
    ["model", before.model === model],
    ["instructions", before.instructions === instructions],
    ["tools", sameTools],
    ["toolChoice", sameBuiltIns || !isOff],
    ["contents", sameContents],
  ];
  return fields.flatMap(([field, isSame]) => (isSame ? [] : [field]));
}
