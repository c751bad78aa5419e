import type { Logger } from "@pollux/core";
import type { RunFeed } from "./agent-workflow.ts";
import type { LiveFeeds } from "./live-feeds.ts";

/** How a worker tells Restate where live events are. */
export interface Announcing {
  /** Restate's ingress. */
  readonly ingress: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly logger?: Logger | undefined;
}

/** How long the worker waits before it tells again what it could not, in milliseconds. */
const AGAIN_MS = 1_000;
/** How long a run waits at most until that is told, in milliseconds. */
const PATIENCE_MS = 5_000;

/** Gives each attempt of a run a feed, and tells Restate where it is as soon as there is something to read. */
export function openFeed(feeds: LiveFeeds | undefined, options: Announcing): (agent: string, runId: string) => RunFeed {
  return (agent, runId) => {
    if (feeds === undefined) return { push: () => Promise.resolve(), close: () => {} };
    const feed = feeds.open();
    let againAt = 0;
    return {
      push: async (events) => {
        feed.push(events);
        if (Date.now() < againAt) return;
        againAt = Infinity;
        const told = announce(`/${agent}/${encodeURIComponent(runId)}/announce`).catch((error: unknown) => {
          againAt = Date.now() + AGAIN_MS;
          // Readers get nothing; the run itself does not depend on it.
          options.logger?.warn({ agent, runId, err: error }, "could not tell Restate where live events are");
        });
        // A run that is over at once is still heard of.
        await Promise.race([told, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS).unref())]);
      },
      close: () => feed.close(),
    };

    async function announce(path: string): Promise<void> {
      const response = await fetch(options.ingress.replace(/\/$/, "") + path, {
        method: "POST",
        headers: { ...options.headers, "content-type": "application/json" },
        body: JSON.stringify(`${await feeds?.url()}${feed.path}`),
        signal: AbortSignal.timeout(10_000),
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`the ingress answered ${response.status}`);
    }
  };
}
