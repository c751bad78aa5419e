import type { GoingRun } from "./going-run.ts";
import type { Serving } from "./serving.ts";

/** How often it is looked who reads, within the time. */
const LOOKS = 10;

/** Aborts a run once nobody has read its answer for the time that the options give, here or in another process. */
export function abortWhenLeft<Context>({ options, readers }: Serving<Context>, session: string, run: GoingRun): void {
  const { onDisconnect } = options;
  if (typeof onDisconnect !== "object") return;
  let looks = 0;
  const timer = setInterval(() => {
    looks += 1;
    readers.any(session).then(
      (isRead) => {
        if (isRead) looks = 0;
        else if (looks >= LOOKS) run.abort();
      },
      // A store that fails says nothing about readers.
      () => (looks = 0),
    );
  }, onDisconnect.abortAfterMs / LOOKS);
  void run.over.then(() => clearInterval(timer));
}
