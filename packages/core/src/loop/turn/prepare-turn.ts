import type { ModelPlace, PhaseKind, PreparedTurn, PrefixField } from "../../durable/run-log.ts";
import { ConfigurationError } from "../../errors/agent-error.ts";
import { abortable } from "../../internal/abort.ts";
import { isTooDeep, sameJson, unlessEmpty } from "../../internal/json.ts";
import { nearestName } from "../../internal/option-names.ts";
import { isOlderFamily } from "../../wire/known-models.ts";
import { type HistoryOrigin, prepareHistory } from "../../model/history/import-history.ts";
import type { Model, ModelRequest } from "../../model/model.ts";
import { checkContentsDepth, depthError } from "../../model/request/check-contents.ts";
import type { Toolset } from "../../tool/toolset.ts";
import type { Content } from "../../wire/types/content.ts";
import type { LoopInput, SentPrefix, ToolChoice, TurnChanges, TurnPreparer } from "../loop-input.ts";
import type { LoopStep } from "../observers/observer.ts";
import type { RunState } from "../run-state.ts";
import { stepLogger } from "../single-step.ts";

/** Applies the changes of `prepareTurn` to a request, inside the step that sends it. @returns No record when nothing differs. */
export async function prepareRequest(
  preparer: TurnPreparer,
  input: LoopInput,
  state: RunState,
  request: ModelRequest,
  place: ModelPlace,
  step: LoopStep,
): Promise<{ readonly request: ModelRequest; readonly model: Model; readonly record?: PreparedTurn | undefined }> {
  const changes = await askForChanges(preparer, input, state, request.contents, place, step.signal);
  const { phase, turn } = place;
  checkCache(input, changes, phase);
  const model = changes.model === undefined ? input.model : preparer.modelFor(changes.model);
  const settings = { ...request.settings, ...preparer.settingsIn(changes) };
  model.check(settings);
  const { instructions = request.instructions, contents = request.contents } = changes;
  const changed: ModelRequest = {
    ...request,
    instructions,
    contents: fitContents(contents, input.author ?? input.model, state.foreign, buildOrigin(model)),
    settings,
  };
  checkChangedRequest(request, changed);
  const { request: prepared, toolset } =
    phase === "output" ? { request: changed } : offerTools(preparer, input, changes, changed, model);
  state.turnTools = toolset;
  const breaks = phase === "output" ? [] : findBreaks(input, state, prepared, model, changes.contents !== undefined);
  if (breaks.length > 0) {
    stepLogger(input, turn, step).info(
      { fields: breaks },
      "prepareTurn changed the prefix; the service's implicit cache starts over",
    );
    await step.emit({ type: "prefix-break", turn, fields: breaks });
  }
  const tools = toolset && [...toolset.byName.keys()];
  const record = unlessEmpty({ ...describeOther(input, model), tools, breaks: breaks.length > 0 ? breaks : undefined });
  return { request: prepared, model, record };
}

/** The model of the request, if it is not the run's own. */
export function describeOther({ author, model: own }: LoopInput, model: Model): Pick<PreparedTurn, "model"> {
  const origin = buildOrigin(model);
  const isOwn =
    author === undefined ? model === own : model.id === author.id && isSameOrigin(origin, buildOrigin(author));
  return isOwn ? {} : { model: { id: model.id, origin } };
}

/** Checks what `prepareTurn` put into a request. @throws {ConfigurationError} Naming the member. */
function checkChangedRequest(before: ModelRequest, after: ModelRequest): void {
  const known = new Set<unknown>(before.contents);
  checkContentsDepth(after.contents.map((content) => (known.has(content) ? NOTHING : content)));
  // The members that a request lists.
  const names = Object.keys(after) as (keyof ModelRequest)[];
  const name = names.find((one) => one !== "contents" && after[one] !== before[one] && isTooDeep(after[one]));
  if (name !== undefined)
    throw depthError(`The ${name} that prepareTurn returned nest`, "they cannot be sent: flatten them");
}

/** Stands for a content that needs no check, so that the others keep their index. */
const NOTHING: Content = { role: "user", parts: [] };

/** The tools of a turn whose answer was recorded, by name. `prepareTurn` is called once more only if the turn offered other tools. */
export async function restoreTools(
  input: LoopInput,
  state: RunState,
  names: readonly string[],
  contents: readonly Content[],
  place: ModelPlace,
): Promise<Toolset> {
  const { preparer, toolset } = input;
  const known = new Map(toolset.byName);
  if (preparer !== undefined && names.some((name) => !known.has(name))) {
    const changes = await askForChanges(preparer, input, state, contents, place, input.signal);
    const model = changes.model === undefined ? input.model : preparer.modelFor(changes.model);
    const others = changes.tools && preparer.toolsetFor(changes.tools, model).byName;
    for (const [name, tool] of others ?? []) known.set(name, tool);
  }
  const picked = names.flatMap((name) => {
    const tool = known.get(name);
    return tool === undefined ? [] : [[name, tool] as const];
  });
  return { ...toolset, byName: new Map(picked) };
}

async function askForChanges(
  { prepareTurn }: TurnPreparer,
  input: LoopInput,
  { toolCalls, usage }: RunState,
  contents: readonly Content[],
  { phase, turn, attempt }: ModelPlace,
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
  preparer: TurnPreparer,
  input: LoopInput,
  { tools, toolChoice }: TurnChanges,
  request: ModelRequest,
  model: Model,
): { readonly request: ModelRequest; readonly toolset?: Toolset | undefined } {
  const toolset = tools === undefined ? undefined : preparer.toolsetFor(tools, model);
  const names = (toolset ?? input.toolset).functions.map(({ name }) => name);
  if (toolChoice !== undefined) checkToolChoice(toolChoice, names);
  else if (toolset !== undefined && request.calling !== undefined) checkToolChoice(input.toolChoice, names);
  const calling = toolChoice === undefined ? request.calling : callingFor(toolChoice, true);
  if (toolset === undefined) return { request: { ...request, calling } };
  const declared = new Map(request.functions.map((one) => [one.name, one]));
  const isSubset = toolset.functions.every((one) => sameJson(declared.get(one.name), one));
  const { family, thinking } = model.capabilities;
  // Only then can the declarations stay while functions are allowed by name without forcing a call.
  const canStay =
    isSubset && sameJson(toolset.builtIns, request.builtIns) && (!isOlderFamily(family) || thinking === "budget");
  if (!canStay)
    return { toolset, request: { ...request, functions: toolset.functions, builtIns: toolset.builtIns, calling } };
  if (names.length === request.functions.length) return { toolset, request: { ...request, calling } };
  if (names.length === 0 || calling?.mode === "NONE")
    return { toolset, request: { ...request, calling: { mode: "NONE" } } };
  const { mode = "VALIDATED", allowedFunctionNames = names } = calling ?? {};
  return { toolset, request: { ...request, calling: { mode, allowedFunctionNames } } };
}

/** Compares a request with the one before it in this process, or with the agent's options. */
function findBreaks(
  input: LoopInput,
  state: RunState,
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

/** Contents fit for a model: signatures are valid only where they were made. @param foreign - Contents of other models than the run's `own`. */
export function fitContents(
  contents: readonly Content[],
  own: Model,
  foreign: ReadonlyMap<Content, HistoryOrigin>,
  to: HistoryOrigin,
): readonly Content[] {
  const from = buildOrigin(own);
  if (foreign.size === 0 && isSameOrigin(from, to)) return contents;
  return contents.flatMap((content) => {
    const author = foreign.get(content) ?? from;
    const stays = content.role !== "model" || isSameOrigin(author, to);
    return stays ? content : prepareHistory([content], { from: author, to });
  });
}

/** Where a model's signatures are valid. */
export function buildOrigin({ id, origin, capabilities }: Model): HistoryOrigin {
  return origin ?? { endpoint: id, family: capabilities.family };
}

function isSameOrigin(a: HistoryOrigin, b: HistoryOrigin): boolean {
  return a.endpoint === b.endpoint && a.family === b.family;
}

/** Calls are forced in the first turn only: a model that must call never answers. */
export function callingFor(choice: ToolChoice, isFirst: boolean): ModelRequest["calling"] {
  if (choice === "none") return { mode: "NONE" };
  if (choice === "auto" || !isFirst) return undefined;
  return choice === "required" ? { mode: "ANY" } : { mode: "ANY", allowedFunctionNames: choice.only };
}

/** @throws {ConfigurationError} For the name of a function that is not offered; names the nearest one. */
export function checkToolChoice(choice: ToolChoice, names: Iterable<string>): void {
  if (typeof choice === "string") {
    if (!["auto", "required", "none"].includes(choice))
      throw new ConfigurationError(
        `toolChoice is "${choice}": it must be "auto", "required", "none" or { only: ["${choice}"] }`,
      );
    return;
  }
  // Also the `{ type: "tool", toolName }` of the AI SDK.
  if (!Array.isArray(choice?.only))
    throw new ConfigurationError('toolChoice must be "auto", "required", "none" or { only: ["get_weather"] }');
  const known = new Set(names);
  for (const name of choice.only) if (!known.has(name)) throw unknownName("toolChoice", name, known);
  if (choice.only.length === 0)
    throw new ConfigurationError('toolChoice.only is empty: name a function, or use toolChoice "none"');
}

/** The error for a name that is none of the run's functions. */
export function unknownName(option: string, name: string, known: ReadonlySet<string>): ConfigurationError {
  const nearest = nearestName(name, known);
  const hint = nearest === undefined ? "" : ` Did you mean "${nearest}"?`;
  const listed = known.size === 0 ? "There are no tools." : `There are: ${[...known].slice(0, 20).join(", ")}.`;
  return new ConfigurationError(`${option} names "${name}", which is not among the tools.${hint} ${listed}`);
}
