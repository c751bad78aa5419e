import { setImmediate } from "node:timers/promises";
import { Agent, maskText, type Model, type OutputGuardrail, type RunEvent, stopText } from "@pollux/core";
import type { Conversation } from "@pollux/core/conversation";
import { say, ScriptedModel, type ScriptLine } from "@pollux/core/testing";
import * as fc from "fast-check";
import { expect, vi } from "vitest";
import { WatchedStore, Watcher } from "../conversation/watched-store.ts";
import type { SessionFace } from "../session/session-faces.ts";

/** Four groups of four digits with anything between them, even the end of a sentence. */
const CARD = /\d{4}(?:\D{0,6}\d{4}){3}/;
const maskCards = maskText(CARD, { maxLength: 34, by: "[card]" });
const keepLastFour = maskText(CARD, { maxLength: 34, by: (card) => `**** ${card.slice(-4)}` });
const hideName = maskText("Project Falcon", { by: "a project whose name nobody outside of it has to know" });
const noFalcon = stopText("Project Falcon", { reason: "a project" });
/** A guardrail without a helper. */
const shout: OutputGuardrail = {
  name: "shout",
  lookback: 6,
  check: ({ text }) => (/quiet/.test(text) ? { replace: text.replaceAll("quiet", "LOUD") } : undefined),
};

/** Sets of guardrails that all look back a limited distance. */
export const SETS: readonly (readonly [string, readonly OutputGuardrail[]])[] = [
  ["a mask", [maskCards]],
  ["a mask that keeps something", [keepLastFour]],
  ["masks, one after the other", [shout, maskCards, hideName]],
  ["a mask and a stop", [maskCards, noFalcon]],
];

const piece = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("It is so. ", "漢字😀 ", "quiet ", "\n\n", "1234 ", "x".repeat(60)) },
  fc.constantFrom("4111 1111 1111 1111", "4111-1111. And 1111 1111", "4111 1111 1111 111", "41111111111111111111"),
  { weight: 1, arbitrary: fc.constantFrom("Project Falcon", "Project Fal", "project falcon", "qui") },
);

/** An answer in chunks, cut anywhere. */
export const chunks: fc.Arbitrary<readonly string[]> = fc
  .tuple(
    fc.array(piece, { minLength: 1, maxLength: 12 }),
    fc.array(fc.nat({ max: 12 }), { minLength: 3, maxLength: 40 }),
  )
  .map(([pieces, sizes]) => {
    // Begins with a dash, so that no answer is empty.
    const text = `- ${pieces.join("")}`;
    const cut: string[] = [];
    for (let at = 0, index = 0; at < text.length; index++) {
      const size = (sizes[index % sizes.length] ?? 0) + 1;
      cut.push(text.slice(at, at + size));
      at += size;
    }
    return cut;
  });

/** The final text of a whole answer, and the part of it that may be shown before. */
export async function judge(
  text: string,
  guardrails: readonly OutputGuardrail[],
): Promise<{ readonly final: string; readonly mayShow: string; readonly isStopped: boolean }> {
  const model = new ScriptedModel(say(text));
  const result = await new Agent({ model, guardrails: { output: guardrails } }).run("Go.");
  if (result.stopReason !== "guardrail") return { final: result.text, mayShow: result.text, isStopped: false };
  const masked = text.replaceAll(new RegExp(CARD, "g"), "[card]");
  return { final: "", mayShow: masked.slice(0, masked.indexOf("Project Falcon")), isStopped: true };
}

/** The text that a reader has after each event, without text that events withdraw. */
export function shownBy(events: readonly RunEvent[]): readonly string[] {
  let shown = "";
  return events.map((event) => {
    if (event.type === "text-delta") shown += event.delta;
    if (event.type === "discard" || event.type === "recover") shown = "";
    if (event.type === "guardrail" && event.side === "output") shown = shown.slice(0, event.keeps ?? 0);
    return shown;
  });
}

/** Expects that a reader of these texts, one after the other, sees nothing forbidden, and that only a stopped answer is taken back. */
export function expectLate(
  texts: readonly string[],
  { final, mayShow, isStopped }: Awaited<ReturnType<typeof judge>>,
): void {
  let before = "";
  let isOver = false;
  for (const text of texts) {
    expect(mayShow.startsWith(text), `${JSON.stringify(text)} was shown of ${JSON.stringify(mayShow)}`).toBe(true);
    if (isStopped && text === "" && before !== "") isOver = true;
    else expect(text.startsWith(before) && (!isOver || text === ""), `${before} became ${text}`).toBe(true);
    before = text;
  }
  expect(texts.at(-1)).toBe(final);
}

/** What a person sees of the answer. */
export function answerIn(conversation: Conversation): string {
  const parts = conversation.messages.flatMap((message) => (message.role === "model" ? message.parts : []));
  return parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}

/** A model that leaves time after each chunk, so that a draft is written and every reader reads it. */
function slowModel(line: ScriptLine): Model {
  const scripted = new ScriptedModel(line);
  return {
    id: scripted.id,
    capabilities: scripted.capabilities,
    check: (...args) => scripted.check(...args),
    respond: async (request, options) =>
      await scripted.respond(request, {
        ...options,
        onParts: async (parts) => {
          await options.onParts?.(parts);
          await vi.advanceTimersByTimeAsync(600);
          for (let turn = 0; turn < 3; turn++) await setImmediate();
        },
      }),
  };
}

/** Plays a run for a page in its process, a page in another process, and readers that arrive at each moment. Requires a stopped clock. */
export async function playLate(
  face: SessionFace,
  guardrails: readonly OutputGuardrail[],
  line: ScriptLine,
): Promise<Record<"here" | "there" | "passing", readonly Conversation[]>> {
  const store = new WatchedStore();
  const open = () =>
    new Agent({ model: slowModel(line), limits: { restarts: 0 }, guardrails: { output: guardrails } }).session({
      id: "s",
      store,
    });
  const session = open();
  const [here, there] = [new Watcher(session), new Watcher(open())];
  await setImmediate();
  await face.send(session, "Go.").catch(() => {});
  await vi.advanceTimersByTimeAsync(3000);
  await here.stop();
  await there.stop();
  return { here: here.states, there: there.states, passing: store.snapshots };
}
