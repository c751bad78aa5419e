import type { Json } from "@pollux/core";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { PendingRow } from "../../../src/inspection/inspection.ts";
import { useAct } from "../session/use-act.ts";
import { Field, ReadOnlyHint, TaskError, TextArea, useAbout } from "./parts.tsx";
import { parseField } from "./use-task.ts";

/** What a person can say about a call that waits. */
export function PendingAnswer({ pending }: { readonly pending: PendingRow }): JSX.Element {
  const { actions } = useAbout();
  const [task, act] = useAct();
  if (!actions.includes("answer")) return <ReadOnlyHint />;
  const { token, question } = pending;
  const [kind, Answer] = question === "approval" ? ["approvals", Approval] : ["outcomes", Outcome];
  return (
    <div class="answer stack">
      <Answer
        pending={pending}
        isBusy={task.isBusy}
        answer={(make) => act("answer", () => ({ [kind]: { [token]: make() } }))}
      />
      <TaskError task={task} />
    </div>
  );
}

interface AnswerProps {
  readonly pending: PendingRow;
  readonly isBusy: boolean;
  /** @param make - Throws for what can't be an answer. */
  readonly answer: (make: () => Json) => void;
}

function Approval({ pending, isBusy, answer }: AnswerProps): JSX.Element {
  const given = JSON.stringify(pending.args, undefined, 2);
  const [reason, setReason] = useState("");
  const [args, setArgs] = useState<string>();
  // Parsed from JSON.
  const edited = (): Json => ({ args: parseField(args ?? given, "The arguments") as Json });
  return (
    <>
      {args !== undefined && (
        <Field label="Arguments to call it with" hint="The model is told that they were changed.">
          <TextArea value={args} onChange={setArgs} isCode rows={Math.min(12, args.split("\n").length)} />
        </Field>
      )}
      <div class="buttons wrap">
        <button
          type="button"
          class="primary"
          disabled={isBusy}
          onClick={() => answer(args === undefined ? () => true : edited)}
        >
          {args === undefined ? "Approve" : "Approve with these arguments"}
        </button>
        <button type="button" onClick={() => setArgs(args === undefined ? given : undefined)}>
          {args === undefined ? "Edit arguments…" : "Keep the model's arguments"}
        </button>
        <input
          type="text"
          aria-label={`Why ${pending.name} is denied`}
          placeholder="Reason, told to the model"
          value={reason}
          onInput={({ currentTarget }) => setReason(currentTarget.value)}
        />
        <button
          type="button"
          disabled={isBusy}
          onClick={() => answer(() => (reason.trim() === "" ? false : { deny: reason }))}
        >
          Deny
        </button>
      </div>
    </>
  );
}

function Outcome({ pending, isBusy, answer }: AnswerProps): JSX.Element {
  const [text, setText] = useState("");
  // Parsed from JSON.
  const output = (): Json => ({ output: parseField(text, "The output") as Json });
  return (
    <>
      <Field label={`Output of ${pending.name}, as JSON; or why it failed`}>
        <TextArea value={text} onChange={setText} isCode placeholder={'{"status": "done"}'} />
      </Field>
      <div class="buttons wrap">
        <button type="button" class="primary" disabled={isBusy} onClick={() => answer(output)}>
          Give the output
        </button>
        <button type="button" disabled={isBusy || text.trim() === ""} onClick={() => answer(() => ({ error: text }))}>
          It failed
        </button>
        {pending.question === "unknown-outcome" && (
          <button type="button" disabled={isBusy} onClick={() => answer(() => ({ notExecuted: true }))}>
            It did not happen: call it again
          </button>
        )}
      </div>
    </>
  );
}
