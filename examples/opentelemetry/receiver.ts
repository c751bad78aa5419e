import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { createGunzip } from "node:zlib";
import { drawTrace } from "./draw-trace.ts";
import { type ReceivedSpan, readSpans } from "./otlp.ts";

/** A server on this machine that receives traces by OTLP over HTTP. */
export interface Receiver extends AsyncDisposable {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string;
}

/**
 * Starts one. Metrics and logs are accepted, and ignored.
 *
 * @param port - 0 for a free one.
 * @param show - Called with the tree of each trace when its first span has ended, and with what is left at the end.
 */
export async function startReceiver(port: number, show: (tree: string) => void): Promise<Receiver> {
  /** Those whose trace is not shown yet. */
  let waiting: readonly ReceivedSpan[] = [];
  const showTrace = (root: ReceivedSpan): void => {
    const inside = withinTrace(root, waiting);
    show(drawTrace(root, [...inside]));
    waiting = waiting.filter((span) => !inside.has(span));
  };

  const server = createServer((request, response) => {
    const isJson = request.headers["content-type"]?.startsWith("application/json") === true;
    void readBody(request)
      .then((body) => {
        const spans = request.url?.endsWith("/v1/traces") === true ? readSpans(body, isJson) : [];
        // Spans end before their parents.
        waiting = [...waiting, ...spans].slice(-MAX_WAITING);
        for (const span of spans) if (span.parentId === undefined) showTrace(span);
        response.writeHead(200, { "content-type": isJson ? "application/json" : "application/x-protobuf" });
        response.end(isJson ? "{}" : "");
      })
      .catch((error: unknown) => response.writeHead(400).end(String(error)));
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");

  return {
    // It listens on a port, not on a path.
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
      for (let [first] = waiting; first !== undefined; [first] = waiting) showTrace(outermost(first, waiting));
    },
  };
}

/** The oldest spans are dropped if their trace never ends. */
const MAX_WAITING = 10_000;

async function readBody(request: IncomingMessage): Promise<Buffer> {
  return await buffer(request.headers["content-encoding"] === "gzip" ? request.pipe(createGunzip()) : request);
}

/** A span and all that are within it. */
function withinTrace(root: ReceivedSpan, spans: readonly ReceivedSpan[]): ReadonlySet<ReceivedSpan> {
  const inside = new Set([root]);
  for (const outer of inside)
    for (const span of spans) if (span.parentId === outer.spanId && span.traceId === outer.traceId) inside.add(span);
  return inside;
}

function outermost(span: ReceivedSpan, spans: readonly ReceivedSpan[]): ReceivedSpan {
  const parent = spans.find(({ spanId, traceId }) => spanId === span.parentId && traceId === span.traceId);
  return parent === undefined ? span : outermost(parent, spans);
}
