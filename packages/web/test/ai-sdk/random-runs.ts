import type { Conversation } from "@pollux/core/conversation";
import { expect } from "vitest";
import type { FollowedResponse } from "../random-runs.ts";
import { type BuiltMessage, buildMessage, encode, loaded, settled, VERSIONS } from "./page.ts";

/**
 * Whoever follows a run, from any moment on and however many of its states are missed, has in the end what the store has, in each
 * version; also when the stream was cut anywhere and another replays the message.
 */
export async function checkPages(responses: readonly FollowedResponse[]): Promise<void> {
  for (const version of VERSIONS) {
    const pages = new Map<string, BuiltMessage>();
    for (const { id, known, states, seen, late, cut } of responses) {
      const whole = loaded(version, states.at(-1)?.[1] as Conversation, id);
      const chunks = encode(version, seen, { known });
      const shown = pages.get(id);
      const page = await buildMessage(version, chunks, known && shown);
      pages.set(id, page);
      expect(settled(version, page, chunks)).toEqual(whole);
      const lateChunks = encode(version, late);
      expect(settled(version, await buildMessage(version, lateChunks), lateChunks)).toEqual(whole);
      // Version 7 drops what it has before a replay.
      if (version === 7) continue;
      const before = await buildMessage(version, chunks.slice(0, 1 + (cut % chunks.length)), known && shown);
      const replay = encode(version, late, { isReplay: true });
      expect(settled(version, await buildMessage(version, replay, before), replay)).toEqual(whole);
    }
  }
}
