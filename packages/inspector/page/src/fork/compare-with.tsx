import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { BranchComparison } from "../../../src/inspection/results.ts";
import type { Source } from "../../../src/inspection/source.ts";
import { Field, TaskError } from "../acting/parts.tsx";
import { useTask } from "../acting/use-task.ts";
import type { SessionModel } from "../session/session-model.ts";
import { BranchTable } from "./branch-table.tsx";

/** Puts any other session beside this one. */
export function CompareWith({ session }: { readonly session: SessionModel }): JSX.Element {
  const [other, setOther] = useState("");
  const task = useTask<BranchComparison>();
  return (
    <details class="compare">
      <summary>Compare with another session</summary>
      <form
        class="form-row"
        onSubmit={(event) => {
          event.preventDefault();
          task.start(() => compare(session.source, session.id, other.trim()));
        }}
      >
        <Field label="Id of the other session">
          <input type="text" value={other} onInput={({ currentTarget }) => setOther(currentTarget.value)} />
        </Field>
        <button type="submit" disabled={task.isBusy || other.trim() === ""}>
          Compare
        </button>
      </form>
      <TaskError task={task} />
      {task.value !== undefined && <BranchTable comparison={task.value} right={other} />}
    </details>
  );
}

export async function compare(source: Source, left: string, right: string): Promise<BranchComparison> {
  // The server is of the same release as the page.
  return (await source.view(left, "compare", { with: right })) as unknown as BranchComparison;
}
