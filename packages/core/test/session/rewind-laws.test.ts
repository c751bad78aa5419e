import { Agent, type Content, MemoryStore, type Session } from "@pollux/core";
import { readConversation } from "@pollux/core/conversation";
import { checkSession } from "@pollux/core/doctor";
import { dies, say, ScriptedModel } from "@pollux/core/testing";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SESSION_FACES } from "./session-faces.ts";

/** What happens to a session next; `at` chooses among its messages, `by` one of two objects that share it. */
type Act = {
  readonly does: "send" | "fail" | "rewind" | "regenerate" | "replace";
  readonly at: number;
  readonly by: 0 | 1;
};

const acts: fc.Arbitrary<readonly Act[]> = fc.array(
  fc.record({
    does: fc.constantFrom("send", "send", "fail", "rewind", "regenerate", "replace"),
    at: fc.nat(10),
    by: fc.constantFrom(0, 1),
  }),
  { maxLength: 12 },
);

/** Answers each message by itself, and fails at those that ask for it. */
function echo(): ScriptedModel {
  return new ScriptedModel(
    ...Array.from({ length: 40 }, () => ({ contents }: { readonly contents: readonly Content[] }) => {
      const text = contents.at(-1)?.parts[0]?.text ?? "";
      return text.startsWith("Fail") ? dies(new Error("as told")) : say(`To: ${text}`);
    }),
  );
}

const textsOf = (contents: readonly Content[]): readonly (string | undefined)[] =>
  contents.map(({ parts }) => parts[0]?.text);

describe.each(SESSION_FACES)("any messages and rewinds, read by %s", (_face, face) => {
  test("a session is the same as one that never had the messages that were taken back", async () => {
    await fc.assert(
      fc.asyncProperty(acts, async (todo) => {
        const store = new MemoryStore();
        const agent = new Agent({ model: echo(), limits: { restarts: 0 } });
        const sessions = [0, 1].map(() => agent.session({ id: "s", store }));
        let left: string[] = [];
        let runs = 0;
        for (const [index, { does, at, by }] of todo.entries()) {
          const session = sessions[by] as Session;
          const { messages } = await readConversation(session);
          const own = messages.filter(({ role }) => role === "user");
          const chosen = own.length === 0 ? -1 : at % own.length;
          const id = own[chosen]?.id;
          if (id === undefined && does !== "send" && does !== "fail") continue;
          runs += does === "rewind" ? 0 : 1;
          const text = `${does === "fail" ? "Fail" : "Say"} ${index}.`;
          const quietly = (work: Promise<unknown>): Promise<unknown> => work.catch(() => {});
          switch (does) {
            case "send":
            case "fail":
              left.push(text);
              await quietly(face.send(session, text));
              break;
            case "rewind":
              left = left.slice(0, chosen);
              await session.rewind({ before: id });
              break;
            case "regenerate":
              left = left.slice(0, chosen + 1);
              await quietly(face.regenerate(session, { messageId: id }));
              break;
            case "replace":
              left = [...left.slice(0, chosen), text];
              await quietly(face.send(session, text, { replaces: id }));
          }
        }
        const expected = left.flatMap((text) => (text.startsWith("Fail") ? [text] : [text, `To: ${text}`]));
        for (const session of [...sessions, agent.session({ id: "s", store })]) {
          expect(textsOf(await session.history())).toEqual(expected);
          const { messages, state, title } = await readConversation(session);
          expect(messages.filter(({ role }) => role === "user").map(({ parts }) => parts[0])).toMatchObject(
            left.map((text) => ({ text })),
          );
          expect(title).toBe(left[0]);
          const { resumable, runs: counted } = await session.state();
          expect(counted).toBe(runs);
          expect(resumable).toBe(state === "stopped");
        }
        const lines = (await store.load("s")).map((value) => ({ value }));
        expect(checkSession(lines).problems).toEqual([]);
        if (left.length === 0) return;
        const fork = await (sessions[0] as Session).fork();
        expect(textsOf(await fork.history())).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });
});
