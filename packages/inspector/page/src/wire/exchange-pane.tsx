import { useSignal } from "@preact/signals";
import { formatMoney } from "../../../src/inspection/cost.ts";
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { ExchangeDetails, ExchangeRow } from "../../../src/inspection/exchange-details.ts";
import { useLoad } from "../app/inspector.ts";
import { useSession } from "../session/session-model.ts";
import {
  formatBytes,
  formatCount,
  formatDate,
  formatDuration,
  formatPercent,
  formatPlural,
  turnTitle,
} from "../ui/format.ts";
import { Waiting, WasAndIs } from "../ui/notes.tsx";
import { TextView } from "../ui/text-view.tsx";
import { endOf, stepOf } from "./exchange-rows.ts";
import { Button, Notes, TaskError, CopyButton } from "../acting/parts.tsx";
import type { KeptExchange } from "@pollux/core/exchanges";
import type { RequestCheck, TakenFiles } from "../../../src/inspection/results.ts";
import { useTask } from "../acting/use-task.ts";
import { RefusalBox } from "../check/check-view.tsx";

/** One request and its answer, as sent. */
export function ExchangePane({ n, onGo }: GoProps & { readonly n: number }): JSX.Element {
  const { source, id } = useSession();
  const { value, error } = useLoad(["exchange", id, n], () => source.view<ExchangeDetails>(id, `exchanges/${n}`));
  if (value === undefined) return <Waiting error={error} />;
  return <Pane details={value} onGo={onGo} />;
}

interface GoProps {
  /** Shows another exchange. */
  readonly onGo?: ((n: number) => void) | undefined;
}

function Pane({ details, onGo }: GoProps & { readonly details: ExchangeDetails }): JSX.Element {
  const session = useSession();
  const { row, request, response, problem } = details;
  const end = endOf(row);
  const turn = session.turnOf(row);
  const answer = useMemo(() => (response?.chunks ?? []).map(({ text }) => text).join(""), [response]);
  return (
    <div class="exchange stack">
      <div class="exchange-top">
        <h2>
          Request {row.n}
          {turn !== undefined && ` of ${turnTitle(turn).toLowerCase()}`} <span class="mono dim">{stepOf(row)}</span>
        </h2>
        <p class="mono exchange-url">
          {row.method} {row.url}
        </p>
        <p class="facts small wrap">
          <span class={end.isBad ? "bad" : ""}>{end.text}</span>
          <span>{formatDate(row.at)}</span>
          <span>{formatDuration(row.ms)}</span>
          {row.firstByteMs !== undefined && <span>first byte after {formatDuration(row.firstByteMs)}</span>}
        </p>
      </div>
      {row.error !== undefined && <p class="banner is-error">{row.error}</p>}
      {problem !== undefined && <p class="banner is-error">{problem}</p>}
      <ExchangeTools key={row.n} n={row.n} />
      <Shared row={row} onGo={onGo} />
      <Break details={details} />
      <Message
        title="Request"
        headers={request.headers}
        body={request.body}
        shared={request.shared}
        isBroken={row.brokenAt !== undefined}
      />
      {response !== undefined && (
        <>
          <ChunkStrip chunks={response.chunks} ms={row.ms} />
          <Message title={`Answer ${response.status}`} headers={response.headers} body={answer} shared={0} />
        </>
      )}
    </div>
  );
}

/** The share of a request that the previous one had too, and the tokens billed as cached. */
function Shared({ row, onGo }: GoProps & { readonly row: ExchangeRow }): JSX.Element {
  const { requestBytes, sharedBytes, before, promptTokens, cachedTokens = 0 } = row;
  return (
    <div class="shared-box">
      <progress
        class="shared-bar"
        max={requestBytes}
        value={sharedBytes}
        aria-label={`${formatPercent(sharedBytes, requestBytes)} of the request were in the previous one`}
      />
      <p>
        {before === undefined ? (
          <>The first request of its conversation: {formatBytes(requestBytes)}.</>
        ) : (
          <>
            {formatBytes(requestBytes)}: the first {formatBytes(sharedBytes)} (
            {formatPercent(sharedBytes, requestBytes)}) as in{" "}
            {onGo === undefined ? (
              `request ${before}`
            ) : (
              <Button say={`request ${before}`} class="link" onClick={() => onGo(before)} />
            )}
            , {formatBytes(requestBytes - sharedBytes)} new.
          </>
        )}{" "}
        {promptTokens !== undefined && (
          <>
            Billed: {formatPlural(promptTokens, "prompt token")}, {formatCount(cachedTokens)} of them as cached (
            {formatPercent(cachedTokens, promptTokens)}).
          </>
        )}
      </p>
    </div>
  );
}

/** Where a request stopped being a continuation of the previous one, and the cost. */
function Break({ details }: { readonly details: ExchangeDetails }): JSX.Element | null {
  const { brokenAt, before, sharedBytes } = details.row;
  if (brokenAt === undefined) return null;
  const { field, tokens, cost, currency } = brokenAt;
  return (
    <section class="break banner is-odd stack" aria-label="Broken prefix">
      <h3>
        The prefix broke at <code>{field}</code>
      </h3>
      <p>
        After {formatBytes(sharedBytes)}, this request differs from request {before}, so the service's cache could not
        serve what follows{tokens === undefined ? "." : `: up to ${formatPlural(tokens, "token")}`}
        {cost !== undefined && cost > 0 && `, about ${formatMoney(cost, currency)}`}
        {tokens !== undefined && " (an estimate from the bytes)."}
      </p>
      <WasAndIs title="Before" {...details.comparison} />
    </section>
  );
}

interface MessageProps {
  readonly title: string;
  readonly headers: ExchangeDetails["request"]["headers"];
  readonly body: string;
  readonly shared: number;
  readonly isBroken?: boolean | undefined;
}

function Message({ title, headers, body, shared, isBroken = false }: MessageProps): JSX.Element {
  const isRaw = useSignal(false);
  const isJson = /^\s*[[{]/.test(body);
  const fields = Object.entries(headers);
  return (
    <section class="message stack" aria-label={title}>
      <div class="row">
        <h3>{title}</h3>
        <span class="dim">{formatBytes(new Blob([body]).size)}</span>
        <span class="to-end wrap">
          {isJson && <Button say="Raw" aria-pressed={isRaw.value} onClick={() => (isRaw.value = !isRaw.value)} />}
          <CopyButton text={body} what={`${title} body`} />
        </span>
      </div>
      <details class="headers">
        <summary class="small">{formatPlural(fields.length, "header")}</summary>
        <dl>
          {fields.map(([name, value]) => (
            <div key={name}>
              <dt>{name}:</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </details>
      {body === "" ? (
        <p class="dim">No body.</p>
      ) : (
        <TextView
          text={body}
          label={`${title} body`}
          isJson={isJson && !isRaw.value}
          shared={shared}
          isBroken={isBroken}
        />
      )}
    </section>
  );
}

/** Most marks to draw: more would overlap. */
const MAX_MARKS = 400;

interface ChunkStripProps {
  readonly chunks: KeptExchange["chunks"];
  readonly ms: number;
}

/** Arrival times of an answer's chunks. */
export function ChunkStrip({ chunks, ms }: ChunkStripProps): JSX.Element | null {
  const [first] = chunks;
  const last = chunks.at(-1);
  if (first === undefined || last === undefined) return null;
  const whole = Math.max(1, ms, last.ms);
  const step = Math.max(1, Math.ceil(chunks.length / MAX_MARKS));
  const longest = chunks.reduce((most, { ms: at }, index) => Math.max(most, at - (chunks[index - 1]?.ms ?? at)), 0);
  return (
    <figure class="strip">
      <div class="strip-track" aria-hidden="true">
        <span class="strip-wait" style={{ width: `${(100 * first.ms) / whole}%` }} />
        {chunks.map(
          ({ ms: at, text }, index) =>
            index % step === 0 && (
              <span
                key={index}
                class="strip-mark"
                style={{ left: `${(100 * at) / whole}%` }}
                title={`${formatDuration(at)}: ${formatBytes(text.length)}`}
              />
            ),
        )}
      </div>
      <figcaption class="dim">
        {formatPlural(chunks.length, "chunk")}: the first after {formatDuration(first.ms)}, the last after{" "}
        {formatDuration(last.ms)}
        {longest > 0 && `, the longest pause between two ${formatDuration(longest)}`}.
      </figcaption>
    </figure>
  );
}

/** Tools for one kept request. */
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
        <Button say="Check request" disabled={task.isBusy} onClick={check} />
      </div>
      <div aria-live="polite">
        {task.value !== undefined && task.value.refusal === undefined && (
          <p class="banner is-ok">By the emulator's rules, the service accepts this request.</p>
        )}
        {task.value?.refusal !== undefined && <RefusalBox refusal={task.value.refusal} />}
        {task.value !== undefined && <Notes notes={task.value.notes} />}
      </div>
      <TaskError task={task} />
    </div>
  );
}
