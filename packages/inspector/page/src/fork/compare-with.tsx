import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { BranchComparison } from "../../../src/inspection/results.ts";
import type { HttpSource } from "../source/http-source.ts";
import { InputField, TaskError } from "../acting/parts.tsx";
import { useTask } from "../acting/use-task.ts";
import { useSession } from "../session/session-model.ts";
import { BranchTable } from "./branch-table.tsx";

/** Puts any other session beside this one. */
export function CompareWith(): JSX.Element {
  const { source, id } = useSession();
  const [other, setOther] = useState("");
  const task = useTask<BranchComparison>();
  return (
    <details class="compare">
      <summary>Compare with another session</summary>
      <form
        class="form-row wrap"
        onSubmit={(event) => {
          event.preventDefault();
          task.start(() => compare(source, id, other.trim()));
        }}
      >
        <InputField label="Id of the other session" value={other} onChange={setOther} />
        <button type="submit" disabled={task.isBusy || other.trim() === ""}>
          Compare
        </button>
      </form>
      <TaskError task={task} />
      {task.value !== undefined && <BranchTable comparison={task.value} right={other} />}
    </details>
  );
}

export async function compare(source: HttpSource, left: string, right: string): Promise<BranchComparison> {
  return await source.view(left, "compare", { with: right });
}
