import { isWebUrl } from "@pollux/core/conversation";
import type { ComponentChildren, JSX } from "preact";
import type { AnswerView, ContentView, SourceView, TurnDetails } from "../../../src/inspection/turn-details.ts";
import type { TurnProps } from "../session/session-model.ts";
import { JsonDetails } from "../ui/code.tsx";
import { formatDuration, formatPlural, formatTime } from "../ui/format.ts";
import { CallCard } from "./call-card.tsx";
import { Parts } from "./parts.tsx";
import { PendingCalls } from "./pending-calls.tsx";
import { Causes, useCauses } from "./causes.tsx";
import { FailedRequests, Notes, RunEnd } from "./turn-notes.tsx";
import { ErrorBanner } from "../ui/notes.tsx";

const ORIGINS: { readonly [origin in ContentView["origin"]]: string } = {
  input: "Message",
  steering: "Message to the active run",
  summary: "Summary of older messages",
  answer: "Answer",
  unfinished: "Unfinished answer",
  responses: "Responses to the calls, as sent",
  media: "Media from the calls",
  "asks-again": "Request to answer again",
};

interface TurnContentsProps extends TurnProps {
  /** May be older than `turn`. */
  readonly details: TurnDetails;
}

/** The contents of a turn: messages, answers, calls and responses. */
export function TurnContents({ details, run, turn }: TurnContentsProps): JSX.Element {
  const { before, answers, calls, responses, notes, sources } = details;
  const failed = turn.failedRequests ?? [];
  const causes = useCauses(run.runId, `${turn.steps.length} ${turn.endedAt}`);
  const isLast = run.turns.at(-1)?.turn === turn.turn;
  const own = causes.filter((cause) => cause.turn === turn.turn || (cause.turn === 0 && isLast));
  return (
    <div class="contents stack">
      <RunEnd run={run} turn={turn} />
      <Causes causes={own.filter(({ callId, outerCallId }) => (callId ?? outerCallId) === undefined)} />
      <PendingCalls runId={run.runId} turn={turn.turn} />
      <Notes run={run} turn={turn} notes={notes} calls={calls} />
      <FailedRequests run={run} turn={turn} answers={answers} />
      {before.map((content, index) => (
        <Block key={index} title={ORIGINS[content.origin]} role={content.role}>
          <Parts parts={content.parts} />
        </Block>
      ))}
      {answers.map((answer, index) => (
        <Answer key={answer.step} answer={answer} count={answers.length} index={index} />
      ))}
      {sources.length > 0 && <Sources sources={sources} />}
      {calls.map((call) => (
        <CallCard
          key={call.callId}
          call={call}
          isRunning={run.state === "running"}
          causes={causes.filter((cause) => (cause.outerCallId ?? cause.callId) === call.callId)}
        />
      ))}
      {responses.map((content, index) => (
        <details key={index} class="as-sent">
          <summary>{ORIGINS[content.origin]}</summary>
          <Parts parts={content.parts} />
        </details>
      ))}
      {before.length + answers.length + calls.length + notes.length + failed.length === 0 && (
        <p class="dim">Nothing recorded yet.</p>
      )}
    </div>
  );
}

interface BlockProps {
  readonly title: string;
  readonly role: string;
  readonly facts?: ComponentChildren;
  readonly isVoid?: boolean | undefined;
  readonly children: ComponentChildren;
}

/** A content with a heading. */
function Block({ title, role, facts, isVoid = false, children }: BlockProps): JSX.Element {
  return (
    <section
      class={`block stack block-${role === "model" ? "model" : "user"}${isVoid ? " is-void" : ""}`}
      aria-label={title}
    >
      <h3 class="wrap">
        {title} <span class="mono small">{role}</span>
        <span class="facts small wrap">{facts}</span>
      </h3>
      {children}
    </section>
  );
}

interface AnswerProps {
  readonly answer: AnswerView;
  readonly count: number;
  readonly index: number;
}

function Answer({ answer, count, index }: AnswerProps): JSX.Element {
  const { content, finishReason, finishMessage, modelVersion, error, lostCitations, searchQueries } = answer;
  const isVoid = index < count - 1;
  return (
    <Block
      title={count === 1 ? "Answer" : `Answer ${index + 1} of ${count}${isVoid ? ", not used" : ""}`}
      role={content?.role ?? "model"}
      isVoid={isVoid}
      facts={
        <>
          <span title={formatTime(answer.startedAt)}>{formatDuration(answer.endedAt - answer.startedAt)}</span>
          {finishReason !== undefined && <span>{finishReason}</span>}
          {modelVersion !== undefined && <span>{modelVersion}</span>}
        </>
      }
    >
      {error !== undefined && <ErrorBanner {...error} />}
      {finishMessage !== undefined && <p class={finishReason === "STOP" ? "dim" : "banner is-odd"}>{finishMessage}</p>}
      {lostCitations.length > 0 && (
        <div class="banner is-odd">
          <p>{formatPlural(lostCitations.length, "citation")} can't be shown:</p>
          <ul>
            {lostCitations.slice(0, 50).map(({ text, why, startIndex, endIndex }, at) => (
              <li key={at}>
                “{text.length > 160 ? `${text.slice(0, 160)}…` : text}”
                {endIndex !== undefined && ` at bytes ${startIndex ?? 0}–${endIndex}`}: {why}
              </li>
            ))}
          </ul>
        </div>
      )}
      {content === undefined ? (
        error === undefined && <p class="dim">No answer recorded.</p>
      ) : content.parts.length === 0 ? (
        <p class="dim">The answer has no parts.</p>
      ) : (
        <Parts parts={content.parts} />
      )}
      {searchQueries.length > 0 && (
        <p class="wrap dim">
          Searched for{" "}
          {searchQueries.map((query, at) => (
            <q key={at}>{query}</q>
          ))}
        </p>
      )}
      <Beside answer={answer} />
    </Block>
  );
}

/** The data of an answer besides its content. */
function Beside({ answer }: { readonly answer: AnswerView }): JSX.Element {
  const { usageMetadata, candidate, envelope, prepared } = answer.beside;
  const values = [
    ["Usage, as billed", usageMetadata],
    ["Candidate", candidate],
    ["Response", envelope],
    ["Prepared turn", prepared],
  ] as const;
  return (
    <div class="beside wrap">
      {values.map(([title, value]) => value !== undefined && <JsonDetails key={title} title={title} value={value} />)}
    </div>
  );
}

function Sources({ sources }: { readonly sources: readonly SourceView[] }): JSX.Element {
  return (
    <section class="sources" aria-label="Sources">
      <h3>Sources</h3>
      <ol>
        {sources.map(({ number, kind, uri, title }) => (
          <li key={number} id={`source-${number}`} value={number} tabIndex={-1}>
            {uri === undefined ? (title ?? kind) : <ExternalLink uri={uri} title={title ?? uri} />}
            <span class="dim"> {uri === undefined || title === undefined ? kind : uri}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** A link from a model or tool: only to the web, and without a referrer. */
function ExternalLink({ uri, title }: { readonly uri: string; readonly title: string }): JSX.Element {
  return isWebUrl(uri) ? (
    <a href={uri} target="_blank" rel="noreferrer noopener" title={uri}>
      {title}
    </a>
  ) : (
    <span title={uri}>{title}</span>
  );
}
