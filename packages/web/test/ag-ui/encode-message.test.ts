import type { Conversation } from "@pollux/core";
import { describe, expect, test } from "vitest";
import { SCRIPTS, SECRETS } from "../../../core/test/conversation/scripts.ts";
import { fakeTime } from "../../../core/test/helpers/fake-time.ts";
import { SESSION_FACES } from "../../../core/test/session/session-faces.ts";
import { play, responses } from "../ai-sdk/play.ts";
import { encode, Follower, loaded } from "./client.ts";

const scripts = Object.entries(SCRIPTS);

describe.each([...SESSION_FACES])("a client that follows a run read by %s", (_face, face) => {
  fakeTime("leaps");

  test.each(scripts)("%s: has what it would load in the end", async (_name, script) => {
    const { here, there } = await play(script, face);
    for (const followed of [here, there]) {
      const client = new Follower();
      for (const { known, states } of responses(followed)) {
        const conversation = states.at(-1)?.[1] as Conversation;
        // What the client calls its message is nothing that we know.
        if (known === undefined) client.agent.addMessage({ id: crypto.randomUUID(), role: "user", content: "Hello." });
        const end = await client.follow(encode(states, known));
        expect(client.messages).toEqual(loaded(conversation));
        const asked = conversation.pending.map(({ messageId, callId }) => `${messageId}/${callId}`);
        const told = end.interrupts?.map(({ toolCallId }) => toolCallId) ?? end.pendingToolCallIds ?? [];
        if (end.outcome === "interrupt") expect(asked).toEqual(expect.arrayContaining([...told]));
        if (end.outcome === "success") expect(told).toEqual(asked);
      }
      expect(client.events.length).toBeGreaterThan(0);
    }
  });
});

describe("a client", () => {
  fakeTime("leaps");
  const [, [, stream] = []] = SESSION_FACES;
  if (stream === undefined) throw new Error("there is no such face");

  test.each(scripts)("%s: that comes later ends with the same", async (_name, script) => {
    const { here } = await play(script, stream);
    for (const { states } of responses(here)) {
      const whole = loaded(states.at(-1)?.[1] as Conversation);
      for (const index of states.keys()) {
        const client = new Follower();
        await client.follow(encode(states.slice(index)));
        expect(client.messages, `from state ${index}`).toEqual(whole);
      }
    }
  });

  test.each(scripts)("%s: is told nothing that only the server may know", async (_name, script) => {
    const { here } = await play(script, stream);
    const told = JSON.stringify(responses(here).flatMap(({ states, known }) => encode(states, known)));
    for (const secret of SECRETS) expect(told).not.toContain(secret);
  });
});
