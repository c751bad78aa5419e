import type { JSX } from "preact";
import type { CallDetails, NestedView } from "../../../src/inspection/turn-details.ts";
import type { CauseView } from "../../../src/inspection/results.ts";
import { JsonCode } from "../ui/code.tsx";
import { Money } from "../ui/money.tsx";
import { formatDuration, formatPlural, formatTime, formatTokens, readsText } from "../ui/format.ts";
import { Causes } from "./causes.tsx";
import { Parts } from "./parts.tsx";

/** Label and tone of each state. */
const STATES: { readonly [state in CallDetails["state"]]: readonly [title: string, tone: string] } = {
  ok: ["ok", "ok"],
  failed: ["failed", "bad"],
  denied: ["denied", "bad"],
  "not-run": ["not run", "odd"],
  waiting: ["waiting", "odd"],
  open: ["no outcome", "bad"],
  unknown: ["unknown outcome", "bad"],
};

interface CallCardProps {
  readonly call: CallDetails;
  /** Its run is active. */
  readonly isRunning: boolean;
  /** Errors thrown in it. */
  readonly causes: readonly CauseView[];
}

/** One call and its outcome. */
export function CallCard({ call, isRunning, causes }: CallCardProps): JSX.Element {
  const { callId, name, id, args, editedArgs, state, startedAt, endedAt, response, failure, isShortened, steps } = call;
  const [title, tone] = state === "open" && isRunning ? ["running", "note"] : STATES[state];
  const ms = startedAt === undefined || endedAt === undefined ? undefined : endedAt - startedAt;
  return (
    <section class={`call box stack call-${state}`} aria-label={`Call of ${name}`} data-call={callId} tabIndex={-1}>
      <h3 class="wrap">
        <span class="chip tone-teal">call</span> <span class="mono">{name}</span>
        <span class={`state tone-${tone}`}>{title}</span>
        {call.reads !== undefined && (
          <span class="tag" title="Its result brought this into the history">
            {readsText(call.reads)}
            {call.origin !== undefined && `, from ${call.origin}`}
          </span>
        )}
        {call.skill !== undefined && (
          <span class="tag" title={`${call.skill.file}, sha256 ${call.skill.sha256}`}>
            skill {call.skill.name}, about {formatTokens(call.skill.tokens)} tokens
          </span>
        )}
        <span class="facts small wrap">
          {ms !== undefined && (
            <span title={startedAt === undefined ? "" : formatTime(startedAt)}>{formatDuration(ms)}</span>
          )}
          <span class="mono">{callId}</span>
          {id !== undefined && <span class="mono">id {id}</span>}
        </span>
      </h3>
      {call.because !== undefined && <p class="banner is-odd">{call.because}</p>}
      {failure !== undefined && (
        <p class="banner is-error">
          <b>{failure.kind}</b> {failure.message}
        </p>
      )}
      <Causes causes={causes} />
      <div class="call-sides">
        <div>
          <h4>{editedArgs === undefined ? "Arguments" : "Arguments from the model"}</h4>
          <JsonCode value={args} label={`Arguments of ${callId}`} />
          {editedArgs !== undefined && (
            <>
              <h4>Edited arguments</h4>
              <JsonCode value={editedArgs} label={`Edited arguments of ${callId}`} />
            </>
          )}
        </div>
        <div>
          <h4>
            {failure === undefined ? "Response" : "Response to the model"}
            {isShortened === true && <span class="tag">shortened</span>}
          </h4>
          {response === undefined ? (
            <p class="dim">{isRunning || state === "waiting" ? "None yet." : "None."}</p>
          ) : (
            <JsonCode value={response} label={`Response to ${callId}`} />
          )}
        </div>
      </div>
      {call.nested.map((nested, index) => (
        <Nested key={index} nested={nested} name={name} />
      ))}
      {steps.length > 1 && (
        <details class="beside">
          <summary>{formatPlural(steps.length, "step")}</summary>
          {steps.map((step, index) => (
            <div key={index}>
              <h4 class="mono">
                {step.name} {step.at !== undefined && <span class="dim">{formatTime(step.at)}</span>}
              </h4>
              <JsonCode value={step.value} label={`Step ${step.name}`} />
            </div>
          ))}
        </details>
      )}
    </section>
  );
}

/** A run inside a call. */
function Nested({ nested, name }: { readonly nested: NestedView; readonly name: string }): JSX.Element {
  const { usage, cost, answers } = nested;
  return (
    <details class="nested banner" open={answers.length <= 6}>
      <summary>
        Inner run of <span class="mono">{name}</span>
        <span class="facts small wrap">
          <span>{formatPlural(answers.length, "answer")}</span>
          {usage.totalTokens !== undefined && <span>{formatTokens(usage.totalTokens)} tokens</span>}
          <Money of={{ cost }} />
        </span>
      </summary>
      {answers.map((answer, index) => (
        <Parts key={index} parts={answer.parts} />
      ))}
    </details>
  );
}
