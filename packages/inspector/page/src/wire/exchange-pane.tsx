import { useSignal } from "@preact/signals";
import { formatMoney } from "../../../src/inspection/cost.ts";
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { ExchangeDetails, ExchangeRow } from "../../../src/inspection/exchange-details.ts";
import { useLoad } from "../app/use-load.ts";
import { useSession } from "../session/session-model.ts";
import { ExchangeTools } from "../take-away/exchange-tools.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import {
  formatBytes,
  formatCount,
  formatDate,
  formatDuration,
  formatPercent,
  formatPlural,
  turnTitle,
} from "../ui/format.ts";
import { Failure, Loading } from "../ui/notes.tsx";
import { TextView } from "../ui/text-view.tsx";
import { WasAndIs } from "../ui/was-and-is.tsx";
import { ChunkStrip } from "./chunk-strip.tsx";
import { endOf, stepOf } from "./exchange-rows.ts";

/** One request and its answer, as they crossed. */
export function ExchangePane({ n, onGo }: GoProps & { readonly n: number }): JSX.Element {
  const { source, id } = useSession();
  const { value, error } = useLoad(["exchange", id, n], () => source.exchange(id, n));
  if (error !== undefined) return <Failure error={error} />;
  if (value === undefined) return <Loading />;
  return <Pane details={value} onGo={onGo} />;
}

interface GoProps {
  /** Shows another one. */
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
        <p class="facts wrap">
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

/** How much of a request was sent before, and what was billed as cached. */
function Shared({ row, onGo }: GoProps & { readonly row: ExchangeRow }): JSX.Element {
  const { requestBytes, sharedBytes, before, promptTokens, cachedTokens = 0 } = row;
  return (
    <div class="shared-box">
      <div
        class="shared-bar"
        role="img"
        aria-label={`${formatPercent(sharedBytes, requestBytes)} of the request was in the one before`}
      >
        <span class="shared-old" style={{ width: `${requestBytes === 0 ? 0 : (100 * sharedBytes) / requestBytes}%` }} />
      </div>
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
              <button type="button" class="link" onClick={() => onGo(before)}>
                request {before}
              </button>
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

/** Where a request stopped being a continuation of the one before, and what that cost. */
function Break({ details }: { readonly details: ExchangeDetails }): JSX.Element | null {
  const { brokenAt, before, sharedBytes } = details.row;
  if (brokenAt === undefined) return null;
  const { field, tokens, cost, currency } = brokenAt;
  return (
    <section class="break" aria-label="Broken prefix">
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

function Message({
  title,
  headers,
  body,
  shared,
  isBroken = false,
}: {
  readonly title: string;
  readonly headers: ExchangeDetails["request"]["headers"];
  readonly body: string;
  readonly shared: number;
  readonly isBroken?: boolean | undefined;
}): JSX.Element {
  const isRaw = useSignal(false);
  const isJson = /^\s*[[{]/.test(body);
  const fields = Object.entries(headers);
  return (
    <section class="message stack" aria-label={title}>
      <div class="message-head">
        <h3>{title}</h3>
        <span class="dim">{formatBytes(new Blob([body]).size)}</span>
        <span class="session-tools">
          {isJson && (
            <button type="button" aria-pressed={isRaw.value} onClick={() => (isRaw.value = !isRaw.value)}>
              Raw
            </button>
          )}
          <CopyButton text={body} what={`${title} body`} />
        </span>
      </div>
      <details class="headers">
        <summary>{formatPlural(fields.length, "header")}</summary>
        <dl>
          {fields.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
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
