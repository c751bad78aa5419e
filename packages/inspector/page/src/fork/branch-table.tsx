import { formatCost } from "../../../src/inspection/cost.ts";
import type { Json } from "@pollux/core";
import type { JSX } from "preact";
import type { BranchComparison, BranchRow, BranchTotals, BranchTurn } from "../../../src/inspection/results.ts";
import { JsonCode } from "../ui/code.tsx";
import { TextDiff } from "../compare/text-diff.tsx";
import { Money } from "../ui/money.tsx";
import { formatDuration, formatPlural, formatTokens } from "../ui/format.ts";

/** Two branches of a session, side by side. */
export function BranchTable({
  comparison,
  first = "This session",
  right: name = "Fork",
  isWhole = false,
}: {
  readonly comparison: BranchComparison;
  /** Title of the first branch. */
  readonly first?: string | undefined;
  /** Title of the second branch. */
  readonly right?: string | undefined;
  /** The rows include equal turns, and texts show their changes. */
  readonly isWhole?: boolean | undefined;
}): JSX.Element {
  const { sharedTurns, left, right, rows, omitted } = comparison;
  return (
    <table class="branches">
      <caption>
        {isWhole
          ? `${formatPlural(rows.filter(({ isSame }) => isSame).length, "turn")} of ${rows.length} the same.`
          : sharedTurns === 0
            ? "Different from the first turn on."
            : `${formatPlural(sharedTurns, "turn")} in common.`}
      </caption>
      <thead>
        <tr>
          <th scope="col">Turn</th>
          <Head title={first} totals={left} />
          <Head title={name} totals={right} />
        </tr>
      </thead>
      <tbody>
        {rows.map((row, index) => (
          <tr key={index} class={row.isSame ? "is-same" : ""}>
            <th scope="row" class="number">
              {numberOf(row)}
            </th>
            <Side turn={row.left} currency={left.currency} />
            <Side turn={row.right} currency={right.currency} before={isWhole ? row.left : undefined} />
          </tr>
        ))}
        {(rows.length === 0 || omitted > 0) && (
          <tr>
            <td colSpan={3} class="dim">
              {omitted > 0 ? `And ${formatPlural(omitted, "more turn")}.` : "Both are the same."}
            </td>
          </tr>
        )}
      </tbody>
    </table>
  );
}

/** The number of the turn, or both numbers when comparing runs of one session. */
function numberOf({ left, right }: BranchRow): string {
  return [...new Set([left, right].flatMap((turn) => (turn === undefined ? [] : [turn.number])))].join(" / ");
}

function Head({ title, totals }: { readonly title: string; readonly totals: BranchTotals }): JSX.Element {
  const { turns, toolCalls, tokens, stopReason } = totals;
  return (
    <th scope="col">
      {title}
      <span class="facts small wrap">
        <span>{formatPlural(turns, "turn")}</span>
        <span>{formatPlural(toolCalls, "call")}</span>
        <span>{formatTokens(tokens)} tokens</span>
        <Money of={totals} />
        {stopReason !== undefined && <span>{stopReason}</span>}
      </span>
    </th>
  );
}

interface SideProps {
  readonly turn: BranchTurn | undefined;
  readonly currency: string | undefined;
  /** Shows texts with their changes from this turn. */
  readonly before?: BranchTurn | undefined;
}

function Side({ turn, currency, before }: SideProps): JSX.Element {
  if (turn === undefined) return <td class="dim">no such turn</td>;
  const { message, text, calls, usage, ms } = turn;
  return (
    <td>
      {message !== undefined && (
        <p class="said is-message">
          <TextDiff was={before?.message ?? message} is={message} />
        </p>
      )}
      {text !== "" && (
        <p class="said">
          <TextDiff was={before?.text || text} is={text} />
        </p>
      )}
      {calls.map(({ callId, name, args, response }) => (
        <div key={callId} class="branch-call">
          <h4>
            <code>{name}</code> <span class="mono dim">{callId}</span>
          </h4>
          <Value value={args} label={`Arguments of ${callId}`} />
          {response !== undefined && <Value value={response} label={`Outcome of ${callId}`} sign="→" />}
        </div>
      ))}
      <p class="dim">
        {formatTokens(usage.totalTokens ?? 0)} tokens
        {turn.cost !== undefined && `, cost ${formatCost(turn, currency)}`}
        {ms !== undefined && `, ${formatDuration(ms)}`}
      </p>
    </td>
  );
}

/** Most characters of a value on one line. */
const SHORT = 160;

interface ValueProps {
  readonly value: Json;
  readonly label: string;
  readonly sign?: string | undefined;
}

function Value({ value, label, sign = "" }: ValueProps): JSX.Element {
  const text = JSON.stringify(value);
  if (text.length > SHORT) return <JsonCode value={value} label={label} />;
  return (
    <p class="mono">
      {sign} {text}
    </p>
  );
}
