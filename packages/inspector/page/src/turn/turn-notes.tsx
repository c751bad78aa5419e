import type { JSX } from "preact";
import { formatMoney } from "../../../src/inspection/cost.ts";
import type { ExchangeRow } from "../../../src/inspection/exchange-details.ts";
import type { CallDetails, NoteView, AnswerView } from "../../../src/inspection/turn-details.ts";
import { formatRoute, turnRoute } from "../app/route.ts";
import { type TurnProps, useSession } from "../session/session-model.ts";
import { whyEnded } from "../ui/endings.tsx";
import { formatPlural, formatDuration, sentence } from "../ui/format.ts";
import { showCall } from "./parts.tsx";
import { Button } from "../acting/parts.tsx";

/** Why the run ended after its last turn, unless it finished. */
export function RunEnd({ run, turn }: TurnProps): JSX.Element | null {
  const why = run.turns.at(-1)?.turn === turn.turn ? whyEnded(run) : undefined;
  if (why === undefined) return null;
  return <p class={`banner ${run.error === undefined ? "is-odd" : "is-error"}`}>The run ended here: {sentence(why)}</p>;
}

interface NotesProps extends TurnProps {
  readonly notes: readonly NoteView[];
  readonly calls: readonly CallDetails[];
}

/** What happened in a turn, in sentences, problems first. */
export function Notes({ run, turn, notes, calls }: NotesProps): JSX.Element | null {
  const breaks = useSession().exchanges.value.filter(
    ({ brokenAt, parent, ...one }) =>
      brokenAt !== undefined && parent === undefined && one.runId === run.runId && one.turn === turn.turn,
  );
  const noted = new Set(notes.flatMap(({ kind, step }) => (kind === "prefix-break" ? [step] : [])));
  const others = breaks.filter(({ step }) => !noted.has(step));
  const failed = calls.filter(({ failure }) => failure !== undefined);
  const repeats = turn.flags.includes("repeated-calls");
  if (notes.length + others.length + failed.length === 0 && !repeats) return null;
  return (
    <ul class="turn-notes stack is-tight" aria-label="What happened">
      {failed.map(({ callId, failure }) => (
        <li key={callId} class="banner note-error">
          {failure?.message} <Button say="See the call" class="link" onClick={() => showCall(callId)} />
        </li>
      ))}
      {repeats && (
        <li class="banner note-repeated-calls">
          The model called {[...new Set(calls.map(({ name }) => name))].join(", ")} with the same arguments as in the
          previous turn.
        </li>
      )}
      {others.map((request) => (
        <li key={request.n} class="banner note-prefix-break">
          This request differs from the previous one in <code>{request.brokenAt?.field}</code>.
          <Paid run={run} turn={turn} request={request} />
        </li>
      ))}
      {notes.map(({ kind, step, text }, index) => (
        <li key={index} class={`banner note-${kind}`}>
          {text}
          <span class="mono dim"> {step}</span>
          {kind === "prefix-break" && (
            <Paid run={run} turn={turn} request={breaks.find((request) => request.step === step)} />
          )}
        </li>
      ))}
    </ul>
  );
}

/** The cost of a broken prefix, with a link to the request. */
function Paid({ request, ...place }: TurnProps & { readonly request: ExchangeRow | undefined }): JSX.Element | null {
  if (request?.brokenAt === undefined) return null;
  const { tokens, cost = 0, currency } = request.brokenAt;
  const money = cost > 0 ? `, about ${formatMoney(cost, currency)}` : "";
  return (
    <>
      {tokens !== undefined && ` It cost the full price for up to ${formatPlural(tokens, "token")}${money}.`}{" "}
      <WireLink {...place} n={request.n} say="See what changed" />
    </>
  );
}

/** A link to a request of the turn. */
function WireLink({ run, turn, n, say }: TurnProps & { readonly n: number; readonly say: string }): JSX.Element {
  const { id } = useSession();
  return <a href={formatRoute(turnRoute(id, run, turn, { tab: "wire", item: n }))}>{say}</a>;
}

/** Shortest time that counts as a wait. */
const MIN_MS = 50;

interface FailedRequestsProps extends TurnProps {
  readonly answers: readonly AnswerView[];
}

/** Failed requests of a turn, with the wait before the next one; and a wait before the first request. */
export function FailedRequests({ run, turn, answers }: FailedRequestsProps): JSX.Element | null {
  const session = useSession();
  const rows = session.exchanges.value.filter((one) => one.runId === run.runId && one.parent === undefined);
  const { failedRequests: failed = [] } = turn;
  const held = answers.flatMap(({ step, startedAt }) => {
    const first = rows.find((one) => one.step === step);
    const ms = first === undefined ? 0 : first.at - startedAt;
    return ms < MIN_MS ? [] : [{ step, ms }];
  });
  if (failed.length + held.length === 0) return null;
  return (
    <ul class="turn-notes stack is-tight" aria-label="Requests that failed or waited">
      {held.map(({ step, ms }) => (
        <li key={step} class="banner">
          The first request went out {formatDuration(ms)} after its step started, because of hooks, the queue or a
          quota. <span class="mono dim">{step}</span>
        </li>
      ))}
      {failed.map(({ n, ms, said }) => (
        <li key={n} class="banner note-error">
          <WireLink run={run} turn={turn} n={n} say={`Request ${n}`} /> failed after {formatDuration(ms)}:{" "}
          {sentence(said)}
          <i class="dim"> {whatFollowed(rows, n, session.overview.value?.state === "running")}</i>
        </li>
      ))}
    </ul>
  );
}

/** How long the next request of the same step waited, and whether it was changed. */
function whatFollowed(rows: readonly ExchangeRow[], n: number, isRunning: boolean): string {
  const row = rows.find((one) => one.n === n);
  if (row === undefined) return "";
  const next = rows.find((one) => one.n > n && one.step === row.step);
  if (next === undefined) return isRunning ? "" : "Not sent again.";
  const ms = next.at - row.at - row.ms;
  const isChanged = next.before === n && next.sharedBytes < Math.max(row.requestBytes, next.requestBytes);
  const wait = ms < MIN_MS ? "at once" : `after a wait of ${formatDuration(ms)}`;
  return `Sent again ${wait}${isChanged ? ", changed" : ""}.`;
}
