import type { JSX } from "preact";
import type { SessionModel } from "../session/session-model.ts";
import { CompareTicked } from "./compare-ticked.tsx";

/** Compares the runs that are ticked in the time line. */
export function CompareRuns({ session }: { readonly session: SessionModel }): JSX.Element {
  const { id, tickedRuns } = session;
  return (
    <CompareTicked
      ticked={tickedRuns}
      what="run"
      routeOf={(left, right) => ({ kind: "compare", left: id, right: id, runs: [left, right] })}
    />
  );
}
