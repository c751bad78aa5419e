import type { JSX } from "preact";
import type { RunRow } from "../../../src/inspection/inspection.ts";
import { useInspector } from "../app/inspector.ts";
import type { SessionModel } from "../session/session-model.ts";
import { saveFiles } from "./save-files.ts";

/** Saves the run of a turn as a test. */
export function RunTestButton({ session, run }: { readonly session: SessionModel; readonly run: RunRow }): JSX.Element {
  const inspector = useInspector();
  const save = async (): Promise<void> => {
    try {
      inspector.say(await saveFiles(session.source, session.id, "test", { run: run.runId }));
    } catch (error) {
      inspector.say(error instanceof Error ? error.message : String(error), true);
    }
  };
  return (
    <button
      type="button"
      title="Save this run as a failing vitest test, with its recording"
      onClick={() => void save()}
    >
      Test of the run
    </button>
  );
}
