import { lineJson, prettyJson } from "../internal/json.ts";

/** How a stream's bytes are laid out. */
export interface Framing {
  /** Ends lines with LF, as proxies do, instead of CRLF. Default: true for the gateway profile. */
  readonly lf?: boolean | undefined;
  /** Sends comments between events, as proxies do. Default: false. */
  readonly keepAlive?: boolean | undefined;
  /** Ends with `data: [DONE]`, as proxies do. Default: false. */
  readonly done?: boolean | undefined;
  /** Splits writes at random byte positions, even inside characters and between CR and LF. Default: false. */
  readonly splitBytes?: boolean | undefined;
}

/** The pieces of a body: one per chunk; several if the framing adds something. */
export interface FramedBody {
  readonly frames: readonly string[];
  /** Frames an unplanned object, such as an error. */
  frame(value: unknown): string;
  /** Ends an event, with the blank line after it. */
  readonly end?: string | undefined;
}

/** Server-sent events: one line of JSON each. */
export function frameEvents(chunks: readonly unknown[], framing: Framing): FramedBody {
  const end = framing.lf === true ? "\n\n" : "\r\n\r\n";
  const frame = (value: unknown): string => `data: ${lineJson(value)}${end}`;
  const frames = chunks.map((chunk) => `${framing.keepAlive === true ? `: keep-alive${end}` : ""}${frame(chunk)}`);
  if (framing.done === true) frames.push(`data: [DONE]${end}`);
  return { frames, frame, end };
}

/** One JSON array in pieces: the format of a stream without `alt=sse`. */
export function frameArray(chunks: readonly unknown[]): FramedBody {
  const last = chunks.length - 1;
  const frames = chunks.map(
    (chunk, index) => `${index === 0 ? "[" : ",\r\n"}${prettyJson(chunk)}${index === last ? "]" : ""}`,
  );
  return { frames: frames.length > 0 ? frames : ["[]"], frame: (value) => `,\r\n${prettyJson(value)}]` };
}

/** A unary body, in two halves so that it can be truncated in the middle. */
export function frameUnary(response: unknown): FramedBody {
  const body = prettyJson(response);
  const middle = Math.floor(body.length / 2);
  return { frames: [body.slice(0, middle), body.slice(middle)], frame: prettyJson };
}
