import type { Conversation } from "@pollux/core/conversation";
import type { UIMessageChunk } from "@pollux/web/ai-sdk";
import { describe, expect, test } from "vitest";
import { SCRIPTS, SECRETS } from "../../../core/test/conversation/scripts.ts";
import { fakeTime } from "../../../core/test/helpers/fake-time.ts";
import { SESSION_FACES } from "../../../core/test/session/session-faces.ts";
import { AI, type BuiltMessage, buildMessage, encode, loaded, settled, VERSIONS } from "./page.ts";
import { BY_COMPARING, playsBy, responses } from "./play.ts";

const scripts = Object.entries(SCRIPTS);
const faces = SESSION_FACES.map(([name, face]) => [name, playsBy(face)] as const);

describe.each(faces)("a page that follows a run read by %s", (_face, played) => {
  fakeTime("leaps");

  test.each(scripts)("%s: has what it would load in the end, in each version", async (_name, script) => {
    const { here, there } = await played(script);
    for (const version of VERSIONS)
      for (const followed of [here, there]) {
        const pages = new Map<string, BuiltMessage>();
        for (const { id, known, states } of responses(followed)) {
          const conversation = states.at(-1)?.[1] as Conversation;
          const chunks = encode(version, states, { known });
          const built = await buildMessage(version, chunks, known && pages.get(id));
          pages.set(id, built);
          expect(settled(version, built, chunks), `version ${version}`).toEqual(loaded(version, conversation, id));
        }
        expect(pages.size).toBeGreaterThan(0);
      }
  });
});

describe("in each version", () => {
  fakeTime("leaps");
  const [, [, played] = []] = faces;
  if (played === undefined) throw new Error("there is no such face");

  test.each(scripts)("%s: a page that comes later ends with the same", async (_name, script) => {
    const { here } = await played(script);
    for (const version of VERSIONS)
      for (const { id, states } of responses(here)) {
        const whole = loaded(version, states.at(-1)?.[1] as Conversation, id);
        for (const index of states.keys()) {
          const chunks = encode(version, states.slice(index));
          const built = await buildMessage(version, chunks);
          expect(settled(version, built, chunks), `version ${version}, from state ${index}`).toEqual(whole);
        }
      }
  });

  test.each(scripts)("%s: with what changed, the chunks are those of comparing", async (_name, script) => {
    const { here, there } = await played(script);
    for (const version of VERSIONS)
      for (const { states, known } of [...responses(here), ...responses(there)])
        expect(encode(version, states, { known })).toEqual(encode(version, states, { known }, BY_COMPARING));
  });

  test.each(scripts)("%s: what is loaded is valid, and makes no page send it again", async (_name, script) => {
    const { here, end } = await played(script);
    for (const version of VERSIONS)
      for (const conversation of [...here, end]) {
        const messages = conversation.messages.map(({ id }) => loaded(version, conversation, id));
        if (messages.length === 0) continue;
        const { success, error } = await AI[version].safeValidateUIMessages({ messages });
        expect(success, `version ${version}: ${String(error)}`).toBe(true);
        if (conversation.state === "running") continue;
        // Whoever sends one that was answered elsewhere makes it go on.
        const { state } = conversation.messages.at(-1) ?? {};
        if (state === "waiting" && conversation.pending.length === 0) continue;
        expect(AI[version].lastAssistantMessageIsCompleteWithToolCalls({ messages })).toBe(false);
        expect(AI[version].lastAssistantMessageIsCompleteWithApprovalResponses?.({ messages }) ?? false).toBe(false);
      }
  });

  test.each(scripts)("%s: a page is told nothing that only the server may know", async (_name, script) => {
    const { here } = await played(script);
    for (const version of VERSIONS) {
      const told: UIMessageChunk[] = responses(here).flatMap(({ states, known }) => [
        ...encode(version, states, { known }),
      ]);
      for (const secret of SECRETS) expect(JSON.stringify(told)).not.toContain(secret);
    }
  });
});
