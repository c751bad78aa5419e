import type { Logger } from "@pollux/core";
import type { RunFeed } from "./agent-workflow.ts";
import type { LiveFeeds } from "./live-feeds.ts";

/** How a worker announces to Restate where its live events are. */
export interface Announcing {
  /** Restate's ingress. */
  readonly ingress: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly logger?: Logger | undefined;
}

/** Milliseconds before a failed announcement is retried. */
const AGAIN_MS = 1_000;
/** Most milliseconds that a run waits for its announcement. */
const PATIENCE_MS = 5_000;

/** Opens a feed for each attempt of a run, and announces it to Restate as soon as there is something to read. */
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
        const announced = announce(`/${agent}/${encodeURIComponent(runId)}/announce`).catch((error: unknown) => {
          againAt = Date.now() + AGAIN_MS;
          // Readers get nothing; the run itself doesn't depend on it.
          options.logger?.warn({ runId, agent, err: error }, "could not announce live events to Restate");
        });
        // Gives even a very short run time to be announced.
        await Promise.race([announced, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS).unref())]);
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
