import { setImmediate } from "node:timers/promises";
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
import type { Script } from "../../core/test/conversation/scripts.ts";
import { SESSION_FACES } from "../../core/test/session/session-faces.ts";
import { play, type Response, responses } from "./ai-sdk/play.ts";

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
  defineTool({
    name: "pay",
    description: "Pays.",
    needsApproval: true,
    approvedBy: "user",
    editable: true,
    run: () => "paid",
  }),
  defineTool({ name: "ask", description: "Asks the person.", approvedBy: "user" }),
  defineTool({ name: "read", description: "Reads.", reads: "untrusted", run: () => "read" }),
  defineTool({
    name: "refund",
    description: "Refunds.",
    needsApproval: true,
    approvedBy: "support",
    run: () => "paid",
  }),
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
  .array(fc.constantFrom("work", "fail", "pay", "ask", "refund", "nowhere", "read"), { minLength: 1, maxLength: 3 })
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

const runs = fc.record({
  lines: fc.array(fc.oneof({ weight: 3, arbitrary: working }, { weight: 1, arbitrary: vain }), { maxLength: 4 }),
  last: fc.oneof({ weight: 2, arbitrary: answer }, fc.constant(hangs("It ", "hangs")), vain),
  approves: fc.infiniteStream(fc.boolean()).map((decisions) => decisions),
});

/** What the person does until nothing waits: answers whatever is asked, and stops what hangs. */
function scriptOf(lines: readonly ScriptLine[], approves: () => boolean): Script {
  const model = (): Model => new ScriptedModel(...lines, say("Enough."), say("Enough."), say("Enough."));
  return {
    model,
    agent: { tools, limits: { turns: 6, restarts: 1 } },
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

/** One response to a page that follows a run. */
export interface FollowedResponse extends Response {
  /** What a slow reader sees of the states: it misses some, but never the last. */
  readonly seen: Response["states"];
  /** What a reader sees that comes later. */
  readonly late: Response["states"];
  /** Any number. */
  readonly cut: number;
}

/** Makes random runs, and checks what the responses to a page that is open from the beginning come to. */
export async function checkRandomRuns(
  { numRuns, seed }: { readonly numRuns: number; readonly seed?: number | undefined },
  check: (responses: readonly FollowedResponse[]) => Promise<void>,
): Promise<void> {
  const [, [, stream] = []] = SESSION_FACES;
  const property = fc.asyncProperty(
    runs,
    fc.infiniteStream(fc.nat(4)),
    fc.nat(1000),
    async ({ lines, last, approves }, missed, cut) => {
      if (stream === undefined) throw new Error("there is no such face");
      const decisions = approves[Symbol.iterator]();
      const script = scriptOf([...lines, last], () => decisions.next().value ?? true);
      const { here } = await play(script, stream);
      await check(
        responses(here).map((response) => {
          const { states } = response;
          const seen = states.filter((_, index) => index === states.length - 1 || (missed.next().value ?? 0) > 1);
          return { ...response, seen, late: states.slice(cut % states.length), cut };
        }),
      );
    },
  );
  await fc.assert(property, { numRuns, ...(seed !== undefined && { seed }) });
}
