import { DBOS } from "@dbos-inc/dbos-sdk";
import type { Content } from "@pollux/core";
import type { Steps } from "@pollux/core/durable";
import { STEER_TOPIC } from "./protocol.ts";

/** Steering that the workflow has received so far. */
export type DbosSteering = NonNullable<Steps["steering"]> & {
  /** Receives new messages. Called in the workflow between rounds, so that what it receives is in the journal. */
  listen(): Promise<void>;
};

/** Steering over DBOS messages: a model step can't receive them itself, so the workflow does it before the step starts. */
export function dbosSteering(): DbosSteering {
  const said: (readonly Content[])[] = [];
  const listen = async (): Promise<void> => {
    for (;;) {
      const message = await DBOS.recv<readonly Content[]>(STEER_TOPIC, { timeoutSeconds: 0 });
      if (message === null) return;
      said.push(message);
    }
  };
  return {
    listen,
    take: (after) =>
      Promise.resolve(said.length > after ? { contents: said.slice(after).flat(), upTo: said.length } : undefined),
    waits: async (after) => {
      if (said.length <= after) await listen();
      return said.length > after;
    },
  };
}
