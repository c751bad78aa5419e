import { DBOS } from "@dbos-inc/dbos-sdk";
import type { Content } from "@pollux/core";
import type { Steps } from "@pollux/core/durable";
import { STEER_TOPIC, STEERING_OVER_EVENT } from "./protocol.ts";

/** Steering that the workflow has received so far. */
export type DbosSteering = NonNullable<Steps["steering"]> & {
  /** Receives new messages. Called in the workflow between rounds, so that what it receives is in the journal. */
  listen(): Promise<void>;
};

/**
 * Steering over DBOS messages: a model step can't receive them itself, so the workflow does it before the step starts.
 *
 * A run that is about to finish first marks that it takes no more messages, and then checks once more. A sender stores
 * its message first and then checks whether the run still takes any. So one of them sees the other; if both do, the
 * message counts for the one that takes it out of the database.
 */
export function dbosSteering(): DbosSteering {
  const received: (readonly Content[])[] = [];
  let closed = false;

  async function listen(): Promise<void> {
    for (;;) {
      const message = await DBOS.recv<readonly Content[]>(STEER_TOPIC, { timeoutSeconds: 0 });
      if (message === null) return;
      received.push(message);
    }
  }

  async function close(): Promise<void> {
    if (closed) return;
    closed = true;
    await DBOS.setEvent(STEERING_OVER_EVENT, true);
    await listen();
  }

  return {
    listen,
    take: (after) =>
      Promise.resolve(
        received.length > after ? { contents: received.slice(after).flat(), upTo: received.length } : undefined,
      ),
    waits: async (after) => {
      if (received.length <= after) await listen();
      if (received.length <= after) await close();
      if (received.length <= after) return false;
      if (closed) await DBOS.setEvent(STEERING_OVER_EVENT, false);
      closed = false;
      return true;
    },
    close: async (after) => {
      await close();
      return received.slice(after).flat();
    },
  };
}
