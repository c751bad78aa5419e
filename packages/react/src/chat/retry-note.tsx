import { type ReactElement, useEffect, useState } from "react";
import { describeWait } from "../words.ts";

/** That the model's service is busy, with the seconds that are left. @param until - In milliseconds since the epoch. */
export function RetryNote({ until }: { readonly until: number }): ReactElement {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [until]);
  return <p className="thinking">{describeWait(until - now)}</p>;
}
