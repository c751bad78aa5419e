import { type ModelStepValue, READS_SINCE } from "../../durable/run-log.ts";
import { readByCall, readByModel, readSteered } from "../../durable/read-by-step.ts";
import type { HistoryOrigin } from "../../model/history/import-history.ts";
import { addRead, readContents, type ReadSource } from "../../tool/reads.ts";
import type { Content } from "../../wire/types/content.ts";
import type { HistorySegment, RunEntry } from "./entries.ts";
import type { RunRecord } from "./run-record.ts";
import { listTurns } from "./run-turns.ts";
import { readAnswer, resolveRefs, type StepOutcomes, type TurnRecord } from "./turn-record.ts";

/** Contents by where they come from; one that brings something begins a part of its own, as a fork may end before it. */
export function splitHistory(
  contents: readonly Content[],
  read: ReadonlyMap<Content, readonly ReadSource[]>,
  originOf: (content: Content) => HistoryOrigin | undefined,
): readonly HistorySegment[] {
  const parts: (HistorySegment & { readonly contents: Content[] })[] = [];
  for (const content of contents) {
    const [last, origin, brought] = [parts.at(-1), originOf(content), read.get(content)];
    if (last !== undefined && brought === undefined && last.origin === origin) last.contents.push(content);
    else parts.push({ origin, contents: [content], ...(brought !== undefined && { read: brought }) });
  }
  return parts;
}

/** Contents of which nothing is recorded, with what they bring. */
export function readGiven(contents: readonly Content[], origin: HistoryOrigin | undefined): readonly HistorySegment[] {
  const read = contents.map((content) => [content, readContents([content])] as const);
  return splitHistory(contents, new Map(read.filter(([, brought]) => brought.length > 0)), () => origin);
}

/** What the message of a run brings; of one of an older loop, what is in it. */
export function readStart({ loop, read, input }: RunEntry): RunEntry["read"] {
  const found = loop < READS_SINCE ? readContents(input) : (read ?? []);
  return found.length > 0 ? found : undefined;
}

/** What a run brings into the history, each turn with the first of its contents: what is not kept brings nothing. */
export function listReads(
  record: RunRecord,
  contents: readonly Content[],
): ReadonlyMap<Content, readonly ReadSource[]> {
  const found = new Map<Content, readonly ReadSource[]>();
  const add = (content: Content | undefined, read: readonly ReadSource[]): void => {
    if (content !== undefined && read.length > 0) found.set(content, [...(found.get(content) ?? []), ...read]);
  };
  const { entry, end, outcomes } = record;
  // An older loop began it; a newer one may have gone on.
  if (entry.loop < READS_SINCE) for (const content of contents) add(content, readContents([content]));
  add(contents[0], entry.read ?? []);
  for (const turn of listTurns(record)) {
    const read = turn.phase === undefined ? readTurn(turn, outcomes) : [];
    if (read.length > 0) add(resolveRefs(turn, outcomes)[0], read);
  }
  // An answer that broke off says what the service had read in its parts only.
  if (end?.interrupted !== undefined)
    add(contents.at(-1), readContents([{ role: "model", parts: end.interrupted.parts }]));
  return found;
}

function readTurn({ steps, calls }: TurnRecord, outcomes: StepOutcomes): readonly ReadSource[] {
  const found: ReadSource[] = [];
  for (const { step } of steps) {
    const { outcome } = outcomes.get(step) ?? {};
    // Others have no such members.
    const { response, described, steered } = ((outcome?.ok === true && outcome.value) || {}) as Partial<ModelStepValue>;
    if (steered !== undefined) addRead(found, ...readSteered(steered));
    if (response !== undefined) addRead(found, ...readByModel({ response, described }));
  }
  for (const call of calls) {
    const value = readAnswer(call, outcomes);
    addRead(found, ...readByCall(value.part.functionResponse?.name ?? "", value));
  }
  return found;
}
