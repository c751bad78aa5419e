import type { ComponentChildren, JSX } from "preact";
import { formatMoney } from "../../../src/inspection/cost.ts";
import type { TurnRow } from "../../../src/inspection/inspection.ts";
import type { ExchangeRow } from "../../../src/inspection/exchange-details.ts";
import type { CallDetails, NoteView, AnswerView } from "../../../src/inspection/turn-details.ts";
import { formatRoute, turnRoute } from "../app/route.ts";
import { useSession } from "../session/session-model.ts";
import { whyEnded } from "../ui/endings.tsx";
import { formatPlural, formatDuration } from "../ui/format.ts";
import { showCall } from "./parts.tsx";
import { Button } from "../acting/parts.tsx";

/** A turn of a run. */
export interface TurnPlace {
  readonly runId: string;
  readonly row: TurnRow;
}

/** Why the run ended after its last turn, unless it was finished. */
export function RunEnd({ place: { runId, row } }: { readonly place: TurnPlace }): JSX.Element | null {
  const run = useSession().runs.value.find((one) => one.runId === runId);
  if (run === undefined || run.turns.at(-1)?.turn !== row.turn) return null;
  const why = whyEnded(run);
  if (why === undefined) return null;
  return <p class={`banner ${run.error === undefined ? "is-odd" : "is-error"}`}>The run ended here: {why}</p>;
}

interface NotesProps {
  readonly place: TurnPlace;
  readonly notes: readonly NoteView[];
  readonly calls: readonly CallDetails[];
}

/** What happened in a turn, in sentences: the problems first, which may stand far below. */
export function Notes({ place, notes, calls }: NotesProps): JSX.Element | null {
  const { runId, row } = place;
  const breaks = useSession().exchanges.value.filter(
    ({ brokenAt, parent, ...one }) =>
      brokenAt !== undefined && parent === undefined && one.runId === runId && one.turn === row.turn,
  );
  const said = new Set(notes.flatMap(({ kind, step }) => (kind === "prefix-break" ? [step] : [])));
  const unsaid = breaks.filter(({ step }) => !said.has(step ?? ""));
  const failed = calls.filter(({ failure }) => failure !== undefined);
  const repeats = row.flags.includes("repeated-calls");
  if (notes.length + unsaid.length + failed.length === 0 && !repeats) return null;
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
          turn before.
        </li>
      )}
      {unsaid.map((request) => (
        <li key={request.n} class="banner note-prefix-break">
          This request differs from the one before it in <code>{request.brokenAt?.field}</code>.
          <Paid place={place} request={request} />
        </li>
      ))}
      {notes.map(({ kind, step, text }, index) => (
        <li key={index} class={`banner note-${kind}`}>
          {text}
          <span class="mono dim"> {step}</span>
          {kind === "prefix-break" && <Paid place={place} request={breaks.find((request) => request.step === step)} />}
        </li>
      ))}
    </ul>
  );
}

interface PaidProps {
  readonly place: TurnPlace;
  readonly request: ExchangeRow | undefined;
}

/** What a broken prefix cost, and where it broke. */
function Paid({ place, request }: PaidProps): JSX.Element | null {
  if (request?.brokenAt === undefined) return null;
  const { tokens, cost = 0, currency } = request.brokenAt;
  return (
    <>
      {tokens !== undefined &&
        ` It paid in full for up to ${formatPlural(tokens, "token")}${cost > 0 ? `, about ${formatMoney(cost, currency)}` : ""}.`}{" "}
      <WireLink place={place} n={request.n}>
        See what changed
      </WireLink>
    </>
  );
}

interface WireLinkProps {
  readonly place: TurnPlace;
  readonly n: number;
  readonly children: ComponentChildren;
}

/** Shows a request of the turn. */
export function WireLink({ place: { runId, row }, n, children }: WireLinkProps): JSX.Element {
  const { id } = useSession();
  return <a href={formatRoute(turnRoute(id, { runId }, row, { tab: "wire", item: n }))}>{children}</a>;
}

/** A shorter time is no wait. */
const MIN_MS = 50;

interface FailedRequestsProps {
  readonly place: TurnPlace;
  readonly answers: readonly AnswerView[];
}

/** The requests of a turn that failed or broke off, why, and how long the next one waited; and what the first one waited for. */
export function FailedRequests({ place, answers }: FailedRequestsProps): JSX.Element | null {
  const session = useSession();
  const { runId, row } = place;
  const rows = session.exchanges.value.filter((one) => one.runId === runId && one.parent === undefined);
  const failed = [
    ...(row.failedRequests ?? []).map(({ n, ms, said }) => ({
      n,
      what: `failed after ${formatDuration(ms)}: ${said}`,
    })),
    ...rows
      .filter(({ turn, status, ended }) => turn === row.turn && status === 200 && ended === "failed")
      .map(({ n, ms, error = "" }) => ({ n, what: `broke off after ${formatDuration(ms)}: ${error}` })),
  ].toSorted((a, b) => a.n - b.n);
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
          The first request was sent {formatDuration(ms)} after its step began: hooks, the queue or a quota held it.{" "}
          <span class="mono dim">{step}</span>
        </li>
      ))}
      {failed.map(({ n, what }) => (
        <li key={n} class="banner note-error">
          <WireLink place={place} n={n}>
            Request {n}
          </WireLink>{" "}
          {what}
          <i class="dim"> {whatFollowed(rows, n, session.overview.value?.state === "running")}</i>
        </li>
      ))}
    </ul>
  );
}

/** How long the next request of the same step waited, and whether it was another one. */
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
