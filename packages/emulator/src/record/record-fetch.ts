import { composeRecording, place, type PlacedExchange } from "./compose-recording.ts";
import { describeExchange, type SeenAnswer } from "./describe-exchange.ts";
import type { RecordedEnd } from "./recording-format.ts";
import { RecordingWriter } from "./recording-writer.ts";
import { Scrubber } from "./scrubber.ts";
import { inspectRequest, type SentRequest } from "./sent-request.ts";

/** Options of {@link recordFetch}. */
export interface RecordFetchOptions {
  /**
   * Name of the recording, and of its file without `.json`. An existing file of that name is replaced.
   *
   * @defaultValue `recording`, followed by a number if that file already exists
   */
  readonly name?: string | undefined;
  /** Sends the requests. @defaultValue the platform's `fetch` */
  readonly fetch?: ((input: string | URL | Request, init?: RequestInit) => Promise<Response>) | undefined;
  /** Texts to redact besides keys, tokens, cookies and projects, such as names and account numbers. */
  readonly secrets?: readonly string[] | undefined;
  /**
   * True to keep the bodies of answers that cannot be searched for secrets: archives, office documents, PDFs, damaged gzip.
   *
   * @defaultValue false: they are left out, and `responseNote` gives the reason
   */
  readonly keepUnsearchable?: boolean | undefined;
}

/** A `fetch` that records. */
export interface RecordingFetch {
  (input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /**
   * Settles when every completed exchange is in the file. An answer whose body is neither read nor canceled never completes.
   *
   * @throws {ConfigurationError} If the file could not be written.
   */
  saved(): Promise<void>;
  /** Path of the file; for a recording without a name, undefined until something has been written. */
  readonly file: string | undefined;
}

/**
 * A `fetch` for any client that also records all requests and answers in one file of a folder: requests as they are sent, bodies
 * as they arrive. Recording adds no delay. The file is written when an answer has been read completely, has failed or was
 * canceled (see `ended`), and lists the exchanges in the order in which they were sent.
 *
 * Request headers are not recorded, nor is anything else that identifies the caller: keys, tokens, cookies, projects. In bodies,
 * such values are replaced with `[redacted]`, and projects in resource names with `PROJECT`. For a request body that is not JSON,
 * such as an upload, only type, length and SHA-256 are kept. An answer that is not text keeps its length, unless it is compressed;
 * one that cannot be searched, such as an archive, is left out.
 *
 * {@link replay} answers from such a folder.
 *
 * @param folder - Created if it does not exist.
 * @throws {ConfigurationError} If the folder is not writable, or the name is invalid.
 *
 * @example
 * const model = gemini("gemini-flash-latest", { fetch: recordFetch("recordings", { name: "weather" }) });
 */
export function recordFetch(folder: string, options: RecordFetchOptions = {}): RecordingFetch {
  // Read now, so that the recorder can replace the global `fetch`.
  const send = options.fetch ?? globalThis.fetch;
  const scrubber = new Scrubber([...(options.secrets ?? []), ...keysOfEnvironment()]);
  const exchanges: (PlacedExchange | undefined)[] = [];
  const finishing = new Set<Promise<void>>();
  const writer = new RecordingWriter(folder, options.name, () =>
    composeRecording(exchanges.filter((exchange) => exchange !== undefined)),
  );

  const finish = (at: number, sent: SentRequest, answer: SeenAnswer): void => {
    const done = (async () => {
      exchanges[at] = place({
        position: at,
        ...describeExchange(sent, await sent.body(), answer, scrubber, options.keepUnsearchable ?? false),
      });
      writer.write();
    })();
    finishing.add(done);
    void done.finally(() => finishing.delete(done));
  };

  const recording = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const { sent, forwarded } = inspectRequest(input, init);
    scrubber.learn(sent.url, sent.headers);
    const at = exchanges.push(undefined) - 1;
    const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined);
    const failed = (): RecordedEnd => (signal?.aborted === true ? "cancelled" : "failed");
    let response: Response;
    try {
      response = await send(forwarded.input, forwarded.init);
    } catch (error) {
      finish(at, sent, { status: 0, headers: new Headers(), body: "", ended: failed() });
      throw error;
    }
    const { status, headers } = response;
    const body = new BodyKeeper(headers);
    let over = false;
    const end = (how: RecordedEnd): void => {
      if (over) return;
      over = true;
      finish(at, sent, {
        status,
        headers,
        body: body.kept(),
        ended: how === "failed" ? failed() : how,
      });
    };
    return watchBody(response, (chunk) => body.keep(chunk), end);
  };

  return Object.defineProperties(recording, {
    saved: {
      value: async (): Promise<void> => {
        await Promise.all(finishing);
        await writer.written();
      },
    },
    file: { get: () => writer.file },
    // Both members have just been defined.
  }) as RecordingFetch;
}

/**
 * The same answer, with every chunk of its body passed to `onChunk` on its way to the reader. Nothing is read ahead and nothing
 * is held back; what the reader doesn't read is not recorded.
 *
 * @param onEnd - Called once, when the body ends, fails or is canceled.
 */
function watchBody(
  response: Response,
  onChunk: (chunk: Uint8Array) => void,
  onEnd: (end: RecordedEnd, reason?: unknown) => void,
): Response {
  if (response.body === null) {
    onEnd("complete");
    return response;
  }
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) {
            onEnd("complete");
            controller.close();
          } else {
            onChunk(value);
            controller.enqueue(value);
          }
        } catch (error) {
          onEnd("failed", error);
          controller.error(error);
        }
      },
      async cancel(reason) {
        onEnd("cancelled");
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  const { status, statusText, headers, url, redirected, type } = response;
  const watched = new Response(body, { status, statusText, headers });
  // A constructed response lacks them.
  Object.defineProperties(watched, { url: { value: url }, redirected: { value: redirected }, type: { value: type } });
  return watched;
}

/** Collects a body. */
class BodyKeeper {
  readonly #bytes: Uint8Array[] = [];
  readonly #isText: boolean;
  readonly #isEncoded: boolean;

  constructor(headers: Headers) {
    const type = headers.get("content-type") ?? "";
    const isTextual = type === "" || /^text\/|json|xml|javascript|urlencoded/i.test(type);
    this.#isText = isTextual && /;\s*charset="?(?!utf-?8\b|us-ascii\b)/i.exec(type) === null;
    this.#isEncoded = headers.has("content-encoding");
  }

  keep(chunk: Uint8Array): void {
    // The reader may modify its bytes, so they are copied; `slice` would not copy a Buffer's.
    this.#bytes.push(new Uint8Array(chunk));
  }

  /** The body as text if it is text, or else as bytes. Most clients have decompressed it, despite its header. */
  kept(): string | Uint8Array {
    const bytes = Buffer.concat(this.#bytes);
    if (bytes.length === 0) return "";
    if (!this.#isText || (bytes[0] === 0x1f && bytes[1] === 0x8b) || (this.#isEncoded && !isUtf8(bytes))) return bytes;
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  }
}

/** True also for a text that ends in the middle of a character. */
function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

function keysOfEnvironment(): readonly string[] {
  const { GOOGLE_API_KEY, GEMINI_API_KEY, COMETAPI_KEY, GOOGLE_GENERATIVE_AI_API_KEY } = process.env;
  return [GOOGLE_API_KEY, GEMINI_API_KEY, COMETAPI_KEY, GOOGLE_GENERATIVE_AI_API_KEY].filter(
    (key): key is string => key !== undefined && key.length >= 6,
  );
}
