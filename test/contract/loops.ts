import { isDeepStrictEqual } from "node:util";
import { callsOf, type PlainAnswer, readAnswer, whyUnusable } from "./plain-fold.ts";
import { type Exchange, isJson, type Json, type Recording } from "./recordings.ts";
import { contentsOf, type PlainContent } from "./wire-forms.ts";

/** A recorded run: each request answers the calls of the previous answer. */
export interface RecordedLoop {
  /** Exchanges of the run, oldest first, at least two; indexes in the file. */
  readonly indexes: readonly number[];
  readonly exchanges: readonly Exchange[];
  /** Each answer's content; the last may be missing if it is an error. */
  readonly answers: readonly PlainAnswer[];
  /** How the calls of each answer but the last were answered. */
  readonly steps: readonly LoopStep[];
}

/** The contents with which a client answered calls. */
export interface LoopStep {
  /** One function response for each call, in call order. */
  readonly responses: readonly Json[];
  /** The client's own contents after the responses. */
  readonly besides: readonly PlainContent[];
}

/** The runs of a recording, and why some tool turns are in none of them. */
export interface FoundLoops {
  readonly loops: readonly RecordedLoop[];
  readonly leftOut: readonly string[];
}

/** Finds every path of answered calls through a recording. */
export function findLoops(recording: Recording): FoundLoops {
  const { exchanges, fidelity } = recording;
  const leftOut: string[] = [];
  const steps = new Map<number, { readonly from: number; readonly step: LoopStep }>();
  for (const [to, exchange] of exchanges.entries()) {
    const from = exchange.continues;
    const before = from === null ? undefined : exchanges[from];
    if (from === null || before === undefined || !answersCalls(before, exchange)) continue;
    const step = fidelity.includes("recorder-damaged") ? "the recorder damaged the file" : stepOf(before, exchange);
    if (typeof step === "string") leftOut.push(step);
    else steps.set(to, { from, step });
  }
  const onward = [...steps].map(([to, { from }]) => ({ from, to }));
  const leaves = [...steps.keys()].filter((to) => !onward.some(({ from }) => from === to));
  return { loops: leaves.map(pathTo), leftOut };

  function pathTo(leaf: number): RecordedLoop {
    const indexes = [leaf];
    const taken: LoopStep[] = [];
    for (let at = steps.get(leaf); at !== undefined; at = steps.get(at.from)) {
      indexes.unshift(at.from);
      taken.unshift(at.step);
    }
    const path = indexes.map((index) => exchanges[index] as Exchange);
    return {
      indexes,
      exchanges: path,
      answers: path.map(readAnswer).flatMap((read) => ("without" in read ? [] : [read.answer])),
      steps: taken,
    };
  }
}

function answersCalls(before: Exchange, after: Exchange): boolean {
  return added(before, after).some(({ parts }) => parts.some((part) => part["functionResponse"] !== undefined));
}

/** The contents that one request adds to another. */
function added(before: Exchange, after: Exchange): readonly PlainContent[] {
  if (before.request === null || after.request === null) return [];
  return contentsOf(after.request).slice(contentsOf(before.request).length);
}

/** The answers to the calls, or why they can't be compared. */
function stepOf(before: Exchange, after: Exchange): LoopStep | string {
  const read = readAnswer(before);
  if ("without" in read) return `the answer before is ${read.without}`;
  const { answer } = read;
  if (whyUnusable(answer) !== undefined) return "the answer before is unusable";
  const [said, ...rest] = added(before, after);
  if (said?.role !== "model" || rest.some(({ role }) => role === "model"))
    return "an exchange in between was not recorded";
  const calls = callsOf(answer.parts);
  if (!isDeepStrictEqual(callsOf(said.parts).map(withoutId), calls.map(withoutId)))
    return "the client sent other calls than it was given";

  const responses = rest.flatMap(({ parts }) => parts.map((part) => part["functionResponse"]).filter(isJson));
  if (responses.length !== calls.length) return "the client gave more or fewer answers than there were calls";
  const names = new Set(calls.map(({ name }) => name));
  if (responses.some(({ name }, i) => names.has(name) && name !== calls[i]?.["name"]))
    return "the client answered in another order";
  const besides = rest
    .map(({ role, parts }) => ({ role, parts: parts.filter((part) => part["functionResponse"] === undefined) }))
    .filter(({ parts }) => parts.length > 0);
  // Some older clients wrote their own id instead of the name.
  return { responses: responses.map((response, i) => ({ ...response, name: calls[i]?.["name"] })), besides };
}

function withoutId({ name, args = {} }: Json): Json {
  return { name, args };
}
