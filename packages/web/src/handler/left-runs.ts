import type { GoingRun } from "./going-run.ts";
import type { Serving } from "./serving.ts";

/** How often it is looked who reads, within the time. */
const LOOKS = 10;

/** Aborts a run once nobody has read its answer for the time that the options give, here or in another process. */
export function abortWhenLeft<Context>({ options, readers }: Serving<Context>, session: string, run: GoingRun): void {
  const { onDisconnect } = options;
  if (typeof onDisconnect !== "object") return;
  let looks = 0;
  let isLooking = false;
  const look = async (): Promise<void> => {
    // There is nothing to be read of a run that waits for its turn.
    if (isLooking || !run.hasBegun) return;
    isLooking = true;
    // A store that fails says nothing about readers.
    const isRead = await readers.any(session).catch(() => true);
    isLooking = false;
    looks = isRead ? 0 : looks + 1;
    if (looks >= LOOKS) run.abort();
  };
  const timer = setInterval(() => void look(), onDisconnect.abortAfterMs / LOOKS);
  void run.over.then(() => clearInterval(timer));
}
