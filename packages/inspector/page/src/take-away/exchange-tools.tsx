import type { JSX } from "preact";
import type { RequestCheck, TakenFiles } from "../../../src/inspection/results.ts";
import { Notes, TaskError } from "../acting/parts.tsx";
import { useTask } from "../acting/use-task.ts";
import { RefusalBox } from "../check/check-view.tsx";
import { useSession } from "../session/session-model.ts";
import { CopyButton } from "../ui/copy-button.tsx";

/** What can be done with one kept request. */
export function ExchangeTools({ n }: { readonly n: number }): JSX.Element {
  const { source, id } = useSession();
  const task = useTask<RequestCheck>();
  const query = { n: String(n) };
  const check = (): void => task.start(() => source.view(id, "check-request", query));
  const curl = async (): Promise<string> =>
    (await source.view<TakenFiles>(id, "take-curl", query)).files[0]?.text ?? "";
  return (
    <div class="exchange-tools stack">
      <div class="buttons wrap">
        <CopyButton text={curl} what="command of the request" title="Copy curl" />
        <button type="button" disabled={task.isBusy} onClick={check}>
          Would the service take it?
        </button>
      </div>
      <div aria-live="polite">
        {task.value !== undefined && task.value.refusal === undefined && (
          <p class="banner is-ok">By the emulator's rules, the service takes this request.</p>
        )}
        {task.value?.refusal !== undefined && <RefusalBox refusal={task.value.refusal} />}
        {task.value !== undefined && <Notes notes={task.value.notes} />}
      </div>
      <TaskError task={task} />
    </div>
  );
}
