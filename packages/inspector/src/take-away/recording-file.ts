import type { Recording, ReplayExchange } from "@pollux/emulator";
import type { ExchangeFold } from "../inspection/exchange-fold.ts";
import { type Fields, fieldsOf, parseJson, requestAddress } from "../inspection/read-values.ts";
import type { RunFold } from "../inspection/run-fold.ts";
import type { SessionFold } from "../inspection/session-fold.ts";
import { stepsOfRun } from "../inspection/turn-step.ts";

/** Traffic in the format that `replay` reads. */
export interface RunRecording extends Recording {
  readonly source: string;
  readonly provenance: "recorded";
}

/** The kept exchanges of a run, including those of agents inside its calls; undefined when none were kept. */
export function recordingOfExchanges(exchanges: ExchangeFold, runIds: ReadonlySet<string>): RunRecording | undefined {
  const recorded = exchanges.kept.exchanges.flatMap((exchange, n): readonly ReplayExchange[] => {
    if (!runIds.has(exchange.runId) && !runIds.has(exchange.parent?.runId ?? "")) return [];
    const body = exchanges.body(n);
    if (body === undefined) return [];
    const { method, url, model, status = 0, responseHeaders = {}, chunks, ended } = exchange;
    const { pathname, search } = requestAddress(url);
    return [
      {
        position: n,
        method,
        path: pathname + search,
        model,
        request: parseJson(new TextDecoder().decode(body)) ?? null,
        status,
        responseHeaders: Object.fromEntries(
          Object.entries(responseHeaders).filter(([name]) => /^(?:content-type|retry-after)$/i.test(name)),
        ),
        responseBody: chunks.map(({ text }) => text).join(""),
        ...(ended !== "complete" && { ended }),
      },
    ];
  });
  return recorded.length === 0 ? undefined : { source: "pollux inspect", provenance: "recorded", exchanges: recorded };
}

/**
 * The answers in the log of a run. Logs have no requests, so a replay returns the answers in order, whatever the requests.
 */
export function recordingOfLog(fold: SessionFold, run: RunFold): RunRecording {
  const exchanges = stepsOfRun(fold, run).flatMap((step, position): readonly ReplayExchange[] => {
    const { response } = fieldsOf(step.value);
    if (step.place.kind !== "model" || response === undefined) return [];
    return [
      {
        position,
        method: "POST",
        path: null,
        model: null,
        request: null,
        status: 200,
        responseHeaders: { "content-type": "text/event-stream" },
        responseBody: `data: ${JSON.stringify(bodyOf(fieldsOf(response)))}\r\n\r\n`,
      },
    ];
  });
  return { source: "pollux inspect", provenance: "recorded", exchanges };
}

/** An answer as the service would send it without a stream. */
function bodyOf({ content, finishReason, candidate, envelope, usage }: Fields): Fields {
  const { inputTokens, outputTokens, totalTokens } = fieldsOf(usage);
  return {
    candidates: [{ ...fieldsOf(candidate), content, finishReason }],
    usageMetadata: {
      promptTokenCount: inputTokens,
      candidatesTokenCount: outputTokens,
      totalTokenCount: totalTokens,
    },
    ...fieldsOf(envelope),
  };
}
