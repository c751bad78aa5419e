import type { JSX } from "preact";
import type { ExchangeRow } from "../../../src/inspection/exchange-details.ts";
import type { AnswerView } from "../../../src/inspection/turn-details.ts";
import { useSession } from "../session/session-model.ts";
import { formatDuration } from "../ui/format.ts";
import { type TurnPlace, WireLink } from "./turn-notes.tsx";

/** A shorter time is no wait. */
const MIN_MS = 50;

/** The requests of a turn that failed or broke off, why, and how long the next one waited; and what the first one waited for. */
export function FailedRequests({
  place,
  answers,
}: {
  readonly place: TurnPlace;
  readonly answers: readonly AnswerView[];
}): JSX.Element | null {
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
        <li key={step} class="note">
          The first request was sent {formatDuration(ms)} after its step began: hooks, the queue or a quota held it.{" "}
          <span class="mono dim">{step}</span>
        </li>
      ))}
      {failed.map(({ n, what }) => (
        <li key={n} class="note note-error">
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
