import { asList } from "../internal/json.ts";
import { resolveCitations, findQuotedCitations } from "../grounding/citations.ts";
import { type Citation, collectSources, type Source } from "../grounding/sources.ts";
import type { ModelResponse } from "../model/model.ts";
import { visibleText } from "../model/response/parts.ts";
import type { AnsweredCall } from "../durable/closed-turn.ts";
import type { ReadSource } from "../tool/reads.ts";
import type { PendingCall } from "../tool/tool.ts";
import type { ToolCall } from "../tool/tool-call.ts";
import type { CodeExecutionResult } from "../wire/types/content.ts";
import type { LoopInput } from "./loop-input.ts";
import { listAudio } from "./output-audio.ts";
import {
  type CodeRun,
  OutputImage,
  type RunResultBase,
  type RunOutputs,
  type RunResult,
  type UrlRetrieval,
} from "./result.ts";
import type { RunState } from "./run-state.ts";
import type { Ending } from "./turn/classify-answer.ts";

/** The result of a run with this ending. */
export function buildResult(
  input: Pick<LoopInput, "historyLength" | "prices" | "identity">,
  state: RunState,
  ending: Ending,
): RunResult<unknown> {
  const { workResponse: response, responses } = state;
  const interrupted = state.interrupted();
  const contents = interrupted === undefined ? [...state.contents] : [...state.contents, interrupted];
  const found = collectSources(responses);
  const text = response === undefined ? "" : visibleText(response.content);
  const grounded = found.sources.length > 0 || found.searchQueries.length > 0;
  const outcome: RunResultBase = {
    runId: state.runId,
    agent: state.handover?.to ?? input.identity.agent,
    text,
    contents,
    added: contents.slice(input.historyLength),
    toolCalls: listCalls([...state.answeredCalls, ...listOpen(state)]),
    turns: state.turns,
    usage: state.usage,
    cost: input.prices === undefined || state.unpriced !== undefined ? undefined : state.cost,
    ...(state.unpriced !== undefined && { unpriced: state.unpriced }),
    ...(state.pricesAsOf !== undefined && { pricesAsOf: state.pricesAsOf }),
    ...(state.currency !== undefined && { currency: state.currency }),
    response,
    ...collectOutputs(state, response),
    ...found,
    citations: found.sources.length === 0 ? [] : findCitations(responses, response, text, found.sources),
    groundedBy: !grounded ? "none" : state.nestedResponses.size > 0 ? "delegated" : "native",
  };
  // Hidden from `JSON.stringify`; for the run that called this one.
  Object.defineProperty(outcome, GROUNDING, { value: [...responses], enumerable: false });
  const cutOff = ending.stopReason === "limit" && interrupted !== undefined && { interrupted };
  Object.defineProperty(outcome, READ, { value: [...state.read], enumerable: false });
  // Each ending lacks exactly what RunResultBase has, and that content.
  return Object.assign(outcome, ending, cutOff) as RunResult<unknown>;
}

interface MadeCall extends Omit<AnsweredCall, "value"> {
  readonly value?: AnsweredCall["value"] | undefined;
  readonly question?: PendingCall["question"] | undefined;
}

function listOpen({ calls, pending }: RunState): MadeCall[] {
  return calls.map(({ current, ...call }) => {
    const question = pending.find(({ callId }) => callId === call.callId)?.question;
    return { ...call, question, value: current.state === "answered" ? current.value : undefined };
  });
}

/** Calls as results have them. */
export function listCalls(calls: readonly MadeCall[]): ToolCall[] {
  const listed: ToolCall[] = [];
  for (const { turn, callId, call, edited, endsRun, value, question } of calls) {
    const { name, args: input = {} } = call;
    const { failure, shortened, durationMs = 0 } = value ?? {};
    const base = { callId, turn, name, input, durationMs, ...(edited && { edited }) };
    const output = value?.part.functionResponse?.response["output"];
    if (value === undefined) listed.push({ ...base, status: "pending", ...(question !== undefined && { question }) });
    else if (failure !== undefined) {
      const { kind, message } = failure;
      listed.push({ ...base, status: "failed", error: { kind, message } });
    } else if (shortened === true) listed.push({ ...base, status: "shortened", output: String(output) });
    else listed.push({ ...base, status: "completed", output, ...(endsRun && { endedRun: true }) });
  }
  return listed;
}

/** The citations of the last answer; if it has none, those of earlier answers that it quotes. */
export function findCitations(
  responses: readonly ModelResponse[],
  last: ModelResponse | undefined,
  text: string,
  sources: readonly Source[],
): readonly Citation[] {
  const own = last === undefined ? [] : resolveCitations(last, sources);
  if (own.length > 0) return own;
  const earlier = responses.filter((response) => response !== last);
  return findQuotedCitations(text, earlier, sources);
}

function collectOutputs(
  { responses, nestedResponses, discarded }: RunState,
  last: ModelResponse | undefined,
): RunOutputs & Pick<RunResultBase, "responses"> {
  const own: ModelResponse[] = [];
  const images: OutputImage[] = [];
  const spoken = new Set<ModelResponse>();
  const code: CodeRun[] = [];
  const thoughts: string[] = [];
  const urls: UrlRetrieval[] = [];
  for (const response of responses) {
    if (discarded.has(response)) continue;
    const isNested = nestedResponses.has(response);
    if (!isNested) own.push(response);
    const ran: OpenCodeRun[] = [];
    let thought = "";
    for (const part of response.content.parts) {
      const { inlineData, executableCode, codeExecutionResult } = part;
      if (part.thought === true) thought += part.text ?? "";
      // An interim image is marked as a thought, as text is.
      else if (inlineData?.mimeType?.startsWith("image/")) images.push(new OutputImage(inlineData));
      else if (inlineData?.mimeType?.startsWith("audio/")) spoken.add(response);
      if (executableCode !== undefined) ran.push({ executableCode });
      if (codeExecutionResult !== undefined) addCodeResult(ran, codeExecutionResult);
    }
    code.push(...ran);
    if (thought !== "" && !isNested) thoughts.push(thought);
    const { urlContextMetadata } = response.candidate;
    if (urlContextMetadata)
      for (const { retrievedUrl = "", urlRetrievalStatus = "" } of asList(urlContextMetadata.urlMetadata))
        urls.push({ retrievedUrl, urlRetrievalStatus });
  }
  const citations = last?.candidate.citationMetadata;
  return {
    responses: own,
    images,
    audio: [...spoken].flatMap(({ content }) => listAudio(content.parts)),
    code,
    thoughts,
    urls,
    safetyRatings: asList(last?.candidate.safetyRatings),
    citationSources: [...asList(citations?.citationSources), ...asList(citations?.citations)],
  };
}

type OpenCodeRun = { -readonly [Name in keyof CodeRun]: CodeRun[Name] };

/** A result belongs to the code with its id; without ids, to the last code before it. */
function addCodeResult(runs: readonly OpenCodeRun[], codeExecutionResult: CodeExecutionResult): void {
  const { id } = codeExecutionResult;
  const open = runs.filter((run) => run.codeExecutionResult === undefined);
  const run = open.find(({ executableCode: { id: other } }) => id !== undefined && other === id) ?? open.at(-1);
  if (run !== undefined) run.codeExecutionResult = codeExecutionResult;
}

const READ = Symbol.for("pollux.read");

/** What the model of a run has read in the whole history. */
export function readSources(result: object): readonly ReadSource[] {
  return (result as { readonly [READ]?: readonly ReadSource[] })[READ] ?? [];
}

const GROUNDING = Symbol.for("pollux.groundingResponses");

/** The responses behind a run's sources, nested runs included; oldest first, with the run's last response at the end. */
export function groundingResponses(result: { readonly response: ModelResponse | undefined }): readonly ModelResponse[] {
  const found = (result as { readonly [GROUNDING]?: readonly ModelResponse[] })[GROUNDING] ?? [];
  const { response: last } = result;
  // Other responses would only make the journal of the calling run longer.
  return [...found.filter((one) => one !== last && hasSources(one)), ...(last === undefined ? [] : [last])];
}

/** False for an answer that is based only on what the model knows. */
export function hasSources({ candidate, content }: ModelResponse): boolean {
  return (
    candidate.groundingMetadata !== undefined ||
    candidate.urlContextMetadata !== undefined ||
    content.parts.some((part) => part.toolCall !== undefined || part.toolResponse !== undefined)
  );
}
