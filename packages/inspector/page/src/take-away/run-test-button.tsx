import type { JSX } from "preact";
import type { TurnProps } from "../session/session-model.ts";
import { useSave } from "./save-files.ts";

/** Saves the run of a turn as a test. */
export function RunTestButton({ run }: Pick<TurnProps, "run">): JSX.Element {
  const save = useSave();
  return (
    <button
      type="button"
      title="Save this run as a failing vitest test, with its recording"
      onClick={() => void save("test", { run: run.runId })}
    >
      Test of the run
    </button>
  );
}
