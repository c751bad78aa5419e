import { type ReactElement, useEffect, useState } from "react";
import { describeWait } from "../words.ts";
import type { ServiceWait } from "./use-conversation.ts";

/** That the model's service is busy, with the seconds that are left. Give it a `key` for each wait: it counts down only one. */
export function RetryNote({ wait: { until, delayMs } }: { readonly wait: ServiceWait }): ReactElement {
  const [leftMs, setLeftMs] = useState(delayMs);
  useEffect(() => {
    const timer = setInterval(() => setLeftMs(until - Date.now()), 1000);
    return () => clearInterval(timer);
  }, [until]);
  return <p className="note">{describeWait(leftMs)}</p>;
}
