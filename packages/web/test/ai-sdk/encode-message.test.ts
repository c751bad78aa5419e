import type { Conversation } from "@pollux/core";
import type { UIMessageChunk } from "@pollux/web";
import { describe, expect, test } from "vitest";
import { SCRIPTS, SECRETS } from "../../../core/test/conversation/scripts.ts";
import { fakeTime } from "../../../core/test/helpers/fake-time.ts";
import { SESSION_FACES } from "../../../core/test/session/session-faces.ts";
import { AI, type BuiltMessage, buildMessage, encode, loaded, settled, VERSIONS } from "./page.ts";
import { play, responses } from "./play.ts";

const scripts = Object.entries(SCRIPTS);

describe.each([...SESSION_FACES])("a page that follows a run read by %s", (_face, face) => {
  fakeTime("leaps");

  describe.each(scripts)("%s", (_name, script) => {
    test.each(VERSIONS)("has what it would load in the end, in version %d", async (version) => {
      const { here, there } = await play(script, face);
      for (const followed of [here, there]) {
        const pages = new Map<string, BuiltMessage>();
        for (const { id, known, states } of responses(followed)) {
          const [last, conversation] = states.at(-1) ?? [];
          if (last === undefined || conversation === undefined) continue;
          const chunks = encode(version, states, known);
          const before = known === undefined ? undefined : pages.get(id);
          const built = await buildMessage(version, chunks, before);
          pages.set(id, built);
          expect(settled(version, built, chunks)).toEqual(loaded(version, conversation, id));
        }
        expect(pages.size).toBeGreaterThan(0);
      }
    });
  });
});

describe.each(VERSIONS)("version %d", (version) => {
  fakeTime("leaps");
  const [, [, stream] = []] = SESSION_FACES;
  if (stream === undefined) throw new Error("there is no such face");

  test.each(scripts)("%s: a page that comes later ends with the same", async (_name, script) => {
    const { here } = await play(script, stream);
    for (const { states } of responses(here)) {
      const whole = loaded(version, states.at(-1)?.[1] as Conversation, states[0]?.[0].id ?? "");
      for (const [index] of states.entries()) {
        const chunks = encode(version, states.slice(index));
        expect(settled(version, await buildMessage(version, chunks), chunks), `from state ${index}`).toEqual(whole);
      }
    }
  });

  test.each(scripts)("%s: what is loaded is valid, and makes no page send it again", async (_name, script) => {
    const { here, end } = await play(script, stream);
    for (const conversation of [...here, end]) {
      const messages = conversation.messages.map(({ id }) => loaded(version, conversation, id));
      if (messages.length === 0) continue;
      const { success, error } = await AI[version].safeValidateUIMessages({ messages });
      expect(success, String(error)).toBe(true);
      if (conversation.state === "running") continue;
      expect(AI[version].lastAssistantMessageIsCompleteWithToolCalls({ messages })).toBe(false);
      expect(AI[version].lastAssistantMessageIsCompleteWithApprovalResponses?.({ messages }) ?? false).toBe(false);
    }
  });

  test.each(scripts)("%s: a page is told nothing that only the server may know", async (_name, script) => {
    const { here } = await play(script, stream);
    const told: UIMessageChunk[] = responses(here).flatMap(({ states, known }) => [...encode(version, states, known)]);
    for (const secret of SECRETS) expect(JSON.stringify(told)).not.toContain(secret);
  });
});
