import type { EmulatorOptions, StrictSwitches } from "@pollux/emulator";
import { readErrorText } from "../../packages/core/src/wire/errors/error-body.ts";
import { filesById } from "../../packages/emulator/test/listed-rules.ts";
import { type Ask, type LiveAnswer, type LiveRequest, pick, type ServiceName } from "./service.ts";

/** A summary of the service's answer to a question. */
export interface Reading {
  /** The result: `taken`, `refused`, a number, a list of fields. */
  readonly is: string;
  /** Status and message of a refusal. */
  readonly wording?: string | undefined;
}

/** The change in the emulator for another answer of the service. */
export type Change =
  /** Options of `createEmulator()` that should become defaults. */
  | { readonly options: Pick<EmulatorOptions, "strict" | "caches" | "callIds"> }
  /** A file below `packages/emulator/src`, and the change in it. */
  | { readonly file: string; readonly edit: string };

/** An uncertain fact about the service. */
export interface Question {
  readonly id: string;
  /** The question, as a sentence. */
  readonly asks: string;
  /** Where it is marked: ids of rules, names of switches, or statements about the API. */
  readonly marks: readonly string[];
  readonly services: readonly ServiceName[];
  readonly ask: (ask: Ask) => Promise<Reading>;
  /** The change for each other expected reading. */
  readonly changes: Readonly<Record<string, Change>>;
  /** The file to change for any other reading. */
  readonly file: string;
}

/** The reading for a model that the service no longer has: there is nothing to compare. */
export const NOT_SERVED = "not served";

/** A request, or a function that derives it from an earlier answer. */
type Sent = LiveRequest | ((ask: Ask) => Promise<LiveRequest>);
type Rest = Partial<Pick<Question, "services" | "changes" | "file">>;

const GOOGLE: readonly ServiceName[] = ["developer", "vertex"];
export const DEV: { readonly services: readonly ServiceName[] } = { services: ["developer"] };
export const strict = (switches: StrictSwitches): Change => ({ options: { strict: switches } });

const FILES = filesById();

/** The file that checks a rule, below `src`. */
export const fileOf = (id: string): string => FILES.get(id) ?? "validate/contract.ts";

/** A question with its own reading. */
export function question(
  id: string,
  asks: string,
  marks: readonly string[],
  ask: Question["ask"],
  rest: Rest = {},
): Question {
  const file = fileOf(marks.find((mark) => FILES.has(mark)) ?? "");
  return { id, asks, marks, ask, services: GOOGLE, changes: {}, file, ...rest };
}

/** A question whether the service accepts a request; a second request may depend on the answer to the first. */
export function taken(id: string, asks: string, marks: readonly string[], request: Sent, rest: Rest = {}): Question {
  const ask = async (send: Ask): Promise<Reading> =>
    refusalOf(await send(short(typeof request === "function" ? await request(send) : request)));
  return question(id, asks, marks, ask, rest);
}

/** The same questions by id, with their marks in one text. */
export function takenAll(
  rows: Readonly<Record<string, readonly [asks: string, marks: string, request: Sent, rest?: Rest]>>,
): readonly Question[] {
  return Object.entries(rows).map(([id, [asks, marks, request, rest]]) =>
    taken(id, asks, marks.split(", "), request, rest),
  );
}

/** A question about a limit: the largest of several sizes that the service accepts. */
export function most(
  id: string,
  asks: string,
  marks: readonly string[],
  sizes: readonly number[],
  request: (size: number) => LiveRequest,
  switches: (size: number) => StrictSwitches,
): Question {
  const ask = async (send: Ask): Promise<Reading> => {
    let largest = 0;
    for (const size of sizes) {
      const { is, wording } = refusalOf(await send(short(request(size))));
      if (is === NOT_SERVED) return { is };
      if (is !== "taken") return { is: String(largest), wording };
      largest = size;
    }
    return { is: String(largest) };
  };
  return question(id, asks, marks, ask, {
    changes: Object.fromEntries([0, ...sizes].map((size) => [String(size), strict(switches(size))])),
  });
}

/** Whether an answer is a refusal, with its wording. */
export function refusalOf(answer: LiveAnswer): Reading {
  if (answer.status < 300) return { is: "taken" };
  const { status } = answer;
  const { message, reason } = readErrorText(answer.text);
  if (status === 404 && /model/i.test(message)) return { is: NOT_SERVED, wording: `${status} ${reason} ${message}` };
  return { is: "refused", wording: [status, reason, answer.text.startsWith("<") ? "(a page)" : message].join(" ") };
}

/** The request with a limit on the answer's tokens, unless it has one; thinking needs some of them. */
function short(request: LiveRequest): LiveRequest {
  const { body, path, verb = "generateContent" } = request;
  if (!(path ?? verb).endsWith("enerateContent") || typeof body !== "object" || body === null) return request;
  const config = pick(body, "generationConfig");
  if (
    config !== undefined &&
    (typeof config !== "object" || config === null || Array.isArray(config) || "maxOutputTokens" in config)
  )
    return request;
  return { ...request, body: { ...body, generationConfig: { maxOutputTokens: 64, ...config } } };
}

/** The change if the service's reading differs from the emulator's; undefined if it doesn't. */
export function changeFor(asked: Question, service: Reading, emulator: Reading, evidence: string): Change | undefined {
  if (service.is !== emulator.is) {
    const found = asked.changes[service.is];
    if (found !== undefined) return found;
    const said = [service.is, service.wording].filter(Boolean).join(": ");
    return { file: asked.file, edit: `${asked.marks.join(", ")}: make it say “${said}”; evidence: ${evidence}` };
  }
  if ((service.wording ?? "") === (emulator.wording ?? "")) return undefined;
  const edit = `${asked.marks.join(", ")}: word it “${service.wording ?? ""}”, and say “seen” in the README; evidence: ${evidence}`;
  return { file: asked.file, edit };
}

/** A change in words. */
export function describeChange(change: Change): string {
  if ("file" in change) return `${change.file}: ${change.edit}`;
  const options = JSON.stringify(change.options)
    .replaceAll(/"(\w+)":/g, "$1: ")
    .replaceAll(/([,{])(?=\S)/g, "$1 ");
  return `createEmulator(${options.replaceAll(/(?<=\S)}/g, " }")}): make it the default`;
}
