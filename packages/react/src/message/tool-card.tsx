import { explainUntrusted } from "@pollux/core/conversation";
import type { ReactElement, ReactNode } from "react";
import { useNow } from "../browser.ts";
import { type AnyCall, type PendingCall, toolLabelOf, toolNameOf } from "../chat-message.ts";
import type { MessageActions } from "../chat/conversation.tsx";
import { Button, Icon } from "../button.tsx";
import { useSettings } from "../settings.tsx";
import { describeCall, durationOf } from "../words.ts";
import { ApprovalForm } from "./approval-form.tsx";
import { callDuration } from "./call-times.ts";
import { recordOf, ToolFields } from "./tool-fields.tsx";

export interface ToolCardProps {
  readonly call: AnyCall;
  /** The answer that it belongs to is being written. */
  readonly isOpen: boolean;
  /** What it waits for. */
  readonly asked: PendingCall | undefined;
  readonly actions: Pick<MessageActions, "decide" | "answer" | "stop">;
}

/** A call of a tool: what it does, its state, its input and output, and the question to the person. */
export function ToolCard({ call, isOpen, asked, actions }: ToolCardProps): ReactElement {
  const { tools } = useSettings();
  const { toolCallId } = call;
  const job = asked?.job;
  const now = useNow(job && 10_000);
  const status = describeCall(call, asked, isOpen, now);
  const label = toolLabelOf(toolNameOf(call));
  const isPreliminary = "preliminary" in call && call.preliminary;
  // Progress is meaningless once nothing runs.
  const progress = isPreliminary && status.isBusy ? readProgress(call.output) : job && readProgress(asked?.progress);
  const isAsked = call.state === "approval-requested";
  const isEdited = call.callProviderMetadata?.pollux.edited === true;
  const isSearch = status.kind === "busy" && call.providerExecuted === true;
  const View = tools[toolNameOf(call)];
  return (
    <div className={`tool is-${status.kind}`} role="group" aria-label={`${label}: ${status.text}`}>
      <details open={isAsked}>
        <summary>
          <span className="tool-icon">
            <Icon name={isSearch ? "search" : ICONS[status.kind]} />
          </span>
          <span className="tool-name">{label}</span>
          <span className="tool-hint" dir="auto">
            {hintOf(call.input)}
          </span>
          {isEdited && <span className="tool-edited">Edited</span>}
          <span className="tool-status">
            {status.text}
            <Duration toolCallId={toolCallId} isBusy={status.isBusy} />
          </span>
          <Icon name="chevron" />
        </summary>
        <div className="tool-body">
          {!isAsked && <ToolFields title={isEdited ? "Input, edited" : "Input"} value={call.input} />}
          {call.state === "output-available" && !isPreliminary && <ToolFields title="Result" value={call.output} />}
          {call.state === "output-error" && <p className="tool-error">{call.errorText}</p>}
          {asked?.because !== undefined && (
            <p className="tool-because" dir="auto">
              {explainUntrusted(asked.because, { name: label, args: recordOf(call.input) })}
            </p>
          )}
          {isAsked && (
            <ApprovalForm
              input={call.input}
              editable={asked?.editable}
              isDisabled={isOpen}
              onDecide={(approved, reason) => actions.decide(call.approval.id, approved, reason)}
              onEdit={async (args) => await actions.answer({ toolCallId, args })}
            />
          )}
        </div>
      </details>
      {(progress?.text || progress?.share !== undefined) && (
        <div className="progress">
          {progress.share !== undefined && (
            <progress aria-label={progress.text || "Progress"} value={progress.share} max={1} />
          )}
          <span>{progress.text}</span>
        </div>
      )}
      {job !== undefined && !isOpen && (
        <div className="tool-question">
          <p>
            The answer continues by itself.
            {job.until !== undefined && ` It waits for at most another ${durationOf(job.until - now)}.`}
          </p>
          <Button className="small" onClick={actions.stop} label="Cancel" />
        </div>
      )}
      {View !== undefined && (
        <div className="tool-view">
          <View call={call} isOpen={isOpen} />
        </div>
      )}
    </div>
  );
}

const ICONS = { busy: "tool", done: "check", failed: "cross", asked: "hand", quiet: "cross" } as const;

function Duration({ toolCallId, isBusy }: { readonly toolCallId: string; readonly isBusy: boolean }): ReactNode {
  const ms = callDuration(toolCallId, useNow(isBusy ? 100 : undefined));
  // A call that was over at once shows no duration.
  return ms !== undefined && ms >= 100 && <span className="duration">{`${(ms / 1000).toFixed(1)} s`}</span>;
}

/** The first text of an input: usually its subject. */
function hintOf(input: unknown): string {
  const values = Object.values(recordOf(input)).flat();
  return values.find((value) => typeof value === "string") ?? "";
}

/** Progress as tools often report it: a text, or an object with `text`, with `percent`, or with `progress` or `done` out of `total`. */
function readProgress(value: unknown): { readonly text: string; readonly share?: number } {
  if (typeof value === "string") return { text: value };
  const { text, message = text, percent, done = percent, progress = done, total = percent && 100 } = recordOf(value);
  const shown = typeof message === "string" ? message : "";
  return typeof progress === "number" && typeof total === "number" && total > 0
    ? { text: shown, share: Math.min(1, progress / total) }
    : { text: shown };
}
