import type { Server } from "node:http";
import { checkDrainOptions, type Drained, type DrainOptions } from "../handler/draining.ts";

/** A handler whose runs can be left to other processes. */
export interface Drainable {
  readonly drain: (options: DrainOptions) => Promise<Drained>;
}

/** Options of {@link drainOnSignal}. */
export interface DrainOnSignalOptions extends Omit<DrainOptions, "signal"> {
  /** Where the signals come from. @defaultValue this process */
  readonly process?: Pick<NodeJS.EventEmitter, "on" | "off"> | undefined;
}

/** How often idle connections are closed, in milliseconds. */
const CLOSE_EVERY_MS = 50;
/** How long the last bytes may take to reach their readers, in milliseconds. */
const LAST_BYTES_MS = 1_000;

/**
 * Waits for SIGTERM or SIGINT, and then ends a server without losing anything: it accepts no more connections, its handlers leave their
 * runs to other processes, and open connections are closed. A second signal ends the waits.
 *
 * @param server - Of `node:http` or `node:https`.
 * @param handlers - Made by `chatHandler` or `operatorHandler`: one, or all that the server has.
 * @returns Resolves when the server is closed, except for upgraded connections. Resources that the program opened
 * itself, such as the store, stay open.
 * @throws {TypeError} At once, for a limit that is not a number of milliseconds.
 * @example
 * ```ts
 * const server = createServer(toNodeHandler(handler)).listen(0);
 * const drained = drainOnSignal(server, handler); // on SIGTERM or Ctrl-C
 * ```
 */
export async function drainOnSignal(
  server: Pick<Server, "close" | "closeIdleConnections" | "closeAllConnections">,
  handlers: Drainable | readonly Drainable[],
  options: DrainOnSignalOptions = {},
): Promise<Drained> {
  const { process: signals = process, ...limits } = options;
  checkDrainOptions(limits);
  const hurry = new AbortController();
  let begin = (): void => {};
  const begun = new Promise<void>((resolve) => (begin = resolve));
  let count = 0;
  const onSignal = (): void => (++count === 1 ? begin() : hurry.abort());
  for (const name of SIGNALS) signals.on(name, onSignal);
  await begun;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const closing = setInterval(() => server.closeIdleConnections(), CLOSE_EVERY_MS);
  let last: ReturnType<typeof setTimeout> | undefined;
  try {
    const all = await Promise.all([handlers].flat().map((one) => one.drain({ ...limits, signal: hurry.signal })));
    // An upgraded connection, such as a WebSocket, no longer belongs to the server, and may stay open.
    await Promise.race([closed, new Promise<void>((resolve) => (last = setTimeout(resolve, LAST_BYTES_MS)))]);
    server.closeAllConnections();
    return {
      ended: all.reduce((sum, { ended }) => sum + ended, 0),
      released: all.reduce((sum, { released }) => sum + released, 0),
    };
  } finally {
    clearInterval(closing);
    clearTimeout(last);
    for (const name of SIGNALS) signals.off(name, onSignal);
  }
}

const SIGNALS = ["SIGTERM", "SIGINT"] as const;
