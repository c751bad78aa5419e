import type { Conversation } from "@pollux/core/conversation";
import { expect } from "vitest";
import type { FollowedResponse } from "../random-runs.ts";
import { encode, Follower, loaded } from "./client.ts";

/**
 * Whoever follows a run, from any moment on and however many of its states are missed, has in the end what the store has, and is told
 * nothing in an order that the protocol forbids.
 */
export async function checkFollowers(responses: readonly FollowedResponse[]): Promise<void> {
  const client = new Follower();
  for (const { known, states, seen, late } of responses) {
    const whole = loaded(states.at(-1)?.[1] as Conversation);
    await client.follow(encode(seen, known));
    expect(client.messages).toEqual(whole);
    const later = new Follower();
    await later.follow(encode(late));
    expect(later.messages).toEqual(whole);
  }
}
