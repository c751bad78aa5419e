import type { JSX } from "preact";
import type { SessionState } from "../../../src/inspection/inspection.ts";

export const STATES: { readonly [state in SessionState]: { readonly title: string; readonly means: string } } = {
  running: { title: "Running", means: "A run is going." },
  waiting: { title: "Waiting", means: "Calls wait for an answer or a job." },
  "cut-off": { title: "Cut off", means: "The process of the last run has died." },
  stopped: { title: "Stopped", means: "The last run failed, was aborted or reached a limit, and can be resumed." },
  done: { title: "Done", means: "Nothing is left to do." },
};

/** The state of a session or a run. */
export function StateBadge({ state }: { readonly state: SessionState }): JSX.Element {
  const { title, means } = STATES[state];
  return (
    <span class={`state state-${state}`} title={means}>
      {title}
    </span>
  );
}
