import { setImmediate } from "node:timers/promises";
import type { Conversation } from "@pollux/core";
import { defineTool, type Model } from "@pollux/core";
import {
  blocked,
  calls,
  dies,
  empty,
  grounded,
  hangs,
  join,
  parts,
  say,
  ScriptedModel,
  type ScriptLine,
  think,
} from "@pollux/core/testing";
import * as fc from "fast-check";
import { expect } from "vitest";
import type { Script } from "../../../core/test/conversation/scripts.ts";
import { SESSION_FACES } from "../../../core/test/session/session-faces.ts";
import { type BuiltMessage, buildMessage, encode, loaded, settled, VERSIONS } from "./page.ts";
import { play, responses } from "./play.ts";

const tools = [
  defineTool({
    name: "work",
    description: "Works.",
    run: async (_input, context) => {
      await context.progress({ percent: 50 });
      await setImmediate();
      return { done: true };
    },
  }),
  defineTool({
    name: "fail",
    description: "Fails.",
    run: () => {
      throw new Error("no");
    },
  }),
  defineTool({ name: "pay", description: "Pays.", needsApproval: true, run: () => "paid" }),
  defineTool({ name: "ask", description: "Asks the person." }),
];

type Turn = ReturnType<typeof say>;

const word = fc.constantFrom("a ", "bee ", "é漢😀 ", "\n\n", "x".repeat(50));
const text = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => say(...words));

/** Pieces of an answer. */
const piece: fc.Arbitrary<Turn> = fc.oneof(
  { weight: 3, arbitrary: text },
  word.map((one) => think(one)),
  fc.constantFrom<Turn>(
    parts({ inlineData: { mimeType: "image/png", data: "aGk=" } }),
    parts({ inlineData: { mimeType: "image/png", data: "aGk=" }, thought: true }),
    parts({ executableCode: { language: "PYTHON", code: "1" } }, { codeExecutionResult: { outcome: "OUTCOME_OK" } }),
    grounded("It is so.", { sources: [{ uri: "https://a.example", supports: ["so"] }], queries: ["q"] }),
  ),
);
const callPiece = fc
  .array(fc.constantFrom("work", "fail", "pay", "ask", "nowhere"), { minLength: 1, maxLength: 3 })
  .map((names) => calls(...names));

/** Answers with calls, in any order with what is said. */
const working = fc
  .tuple(fc.array(piece, { maxLength: 2 }), callPiece, fc.array(fc.oneof(piece, callPiece), { maxLength: 2 }))
  .map(([before, one, after]) => join(...before, one, ...after));
const answer = fc.array(piece, { minLength: 1, maxLength: 4 }).map((pieces) => join(...pieces));
const vain = fc.oneof(
  fc.constant<Turn>(empty()),
  answer.map((one) => join(one, blocked("MALFORMED_FUNCTION_CALL"))),
  answer.map((one) => join(one, dies())),
);

export const runs = fc.record({
  lines: fc.array(fc.oneof({ weight: 3, arbitrary: working }, { weight: 1, arbitrary: vain }), { maxLength: 4 }),
  last: fc.oneof({ weight: 2, arbitrary: answer }, fc.constant(hangs("It ", "hangs")), vain),
  approves: fc.infiniteStream(fc.boolean()).map((decisions) => decisions),
});

/** What the person does until nothing waits: answers whatever is asked, and stops what hangs. */
export function scriptOf(lines: readonly ScriptLine[], approves: () => boolean): Script {
  const model = (): Model => new ScriptedModel(...lines, say("Enough."), say("Enough."), say("Enough."));
  return {
    model,
    agent: { tools, maxRestarts: 1, limits: { turns: 6 } },
    play: async ({ send, resume, session }) => {
      const over = { isOver: false };
      let going = send("Go.").finally(() => (over.isOver = true));
      for (let round = 0; round < 8; round++) {
        for (let turn = 0; turn < 300 && !over.isOver; turn++) await setImmediate();
        if (!over.isOver) await session.stop();
        await going;
        const { pending } = await session.state();
        if (pending.length === 0) return;
        const approvals = pending
          .filter(({ question }) => question === "approval")
          .map((one) => [one.callId, approves()]);
        const outcomes = pending
          .filter(({ question }) => question !== "approval")
          .map(({ callId }) => [callId, approves() ? { output: "yes" } : { error: "no" }]);
        over.isOver = false;
        const answers = { approvals: Object.fromEntries(approvals), outcomes: Object.fromEntries(outcomes) };
        going = resume(answers).finally(() => (over.isOver = true));
      }
    },
  };
}

/**
 * Whoever follows a run, from any moment on and however many of its states are missed, has in the end what the store has, in each
 * version; also when the stream was cut anywhere and another replays the message.
 */
export async function checkRandomRuns(numRuns: number, seed?: number): Promise<void> {
  const [, [, stream] = []] = SESSION_FACES;
  const property = fc.asyncProperty(
    runs,
    fc.infiniteStream(fc.nat(4)),
    fc.nat(1000),
    async ({ lines, last, approves }, missed, cut) => {
      if (stream === undefined) throw new Error("there is no such face");
      const decisions = approves[Symbol.iterator]();
      const { here } = await play(
        scriptOf([...lines, last], () => decisions.next().value ?? true),
        stream,
      );
      for (const version of VERSIONS) {
        const pages = new Map<string, BuiltMessage>();
        for (const { id, known, states } of responses(here)) {
          const conversation = states.at(-1)?.[1] as Conversation;
          const whole = loaded(version, conversation, id);
          // A slow reader misses some of the states, but never the last.
          const seen = states.filter((_, index) => index === states.length - 1 || (missed.next().value ?? 0) > 1);
          const chunks = encode(version, seen, { known });
          const shown = pages.get(id);
          const page = await buildMessage(version, chunks, known && shown);
          pages.set(id, page);
          expect(settled(version, page, chunks)).toEqual(whole);
          const late = encode(version, states.slice(cut % states.length));
          expect(settled(version, await buildMessage(version, late), late)).toEqual(whole);
          // Version 7 drops what it has before a replay.
          if (version === 7) continue;
          const before = await buildMessage(version, chunks.slice(0, 1 + (cut % chunks.length)), known && shown);
          const replay = encode(version, states.slice(cut % states.length), { isReplay: true });
          expect(settled(version, await buildMessage(version, replay, before), replay)).toEqual(whole);
        }
      }
    },
  );
  await fc.assert(property, { numRuns, ...(seed !== undefined && { seed }) });
}
