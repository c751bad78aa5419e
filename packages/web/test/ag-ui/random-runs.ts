import type { Conversation } from "@pollux/core";
import * as fc from "fast-check";
import { expect } from "vitest";
import { SESSION_FACES } from "../../../core/test/session/session-faces.ts";
import { play, responses } from "../ai-sdk/play.ts";
import { runs, scriptOf } from "../ai-sdk/random-runs.ts";
import { encode, Follower, loaded } from "./client.ts";

/**
 * Whoever follows a run, from any moment on and however many of its states are missed, has in the end what the store has, and is told
 * nothing in an order that the protocol forbids.
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
      const script = scriptOf([...lines, last], () => decisions.next().value ?? true);
      const { here } = await play(script, stream);
      const client = new Follower();
      for (const { known, states } of responses(here)) {
        const whole = loaded(states.at(-1)?.[1] as Conversation);
        // A slow reader misses some of the states, but never the last.
        const seen = states.filter((_, index) => index === states.length - 1 || (missed.next().value ?? 0) > 1);
        await client.follow(encode(seen, known));
        expect(client.messages).toEqual(whole);
        const late = new Follower();
        await late.follow(encode(states.slice(cut % states.length)));
        expect(late.messages).toEqual(whole);
      }
    },
  );
  await fc.assert(property, { numRuns, ...(seed !== undefined && { seed }) });
}
