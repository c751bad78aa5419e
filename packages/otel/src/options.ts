import type { Context, MeterProvider, TimeInput, TracerProvider } from "@opentelemetry/api";

/** Options of {@link openTelemetry}. */
export interface OpenTelemetryOptions {
  /** @defaultValue the global one, looked up for each run: it may be registered later */
  readonly tracerProvider?: TracerProvider | undefined;
  /** @defaultValue the global one, looked up for each run */
  readonly meterProvider?: MeterProvider | undefined;
  /** Receives the events of the conventions as log records. A provider of `@opentelemetry/sdk-logs` fits. @defaultValue none */
  readonly loggerProvider?: EventLoggerProvider | undefined;
  /**
   * Whether content is exported, and where to: messages, instructions, tool definitions, arguments and results; the messages and stacks
   * of errors, because they quote it; and names of tools that don't exist. `true` means `"SPAN_ONLY"`.
   *
   * @defaultValue the environment variable `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`, otherwise `"NO_CONTENT"`
   */
  readonly captureContent?: CaptureContent | boolean | undefined;
  /** How much content is exported. Only has an effect when content is captured. */
  readonly content?: ContentOptions | undefined;
  /** `"2025"`: also record the metrics under the names that dashboards used until 2025. @defaultValue none */
  readonly metrics?: "2025" | undefined;
}

/** Where content goes: values of `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`. */
export type CaptureContent = "NO_CONTENT" | "SPAN_ONLY" | "EVENT_ONLY" | "SPAN_AND_EVENT";

/** How much content is exported. */
export interface ContentOptions {
  /**
   * Input messages of a model request. `"new"`: only messages that no earlier span of the run has, so that a run
   * exports each message once. `"all"`: the whole conversation with every request, which grows with the square of the
   * turns. `"none"`: only the output. `pollux.messages.from` is the index of the first one exported.
   *
   * @defaultValue "new"
   */
  readonly messages?: "new" | "all" | "none" | undefined;
  /** Limit of each string, in bytes of UTF-8. A longer one is cut, and ends with how much is missing. @defaultValue 16_384 */
  readonly maxStringBytes?: number | undefined;
  /** Limit of each attribute, in bytes of UTF-8. The oldest messages are left out first. @defaultValue 131_072 */
  readonly maxBytes?: number | undefined;
  /**
   * Changes each string before it is exported, for example to mask personal data. If it throws or returns anything but a string, the
   * string is left out.
   */
  readonly redact?: ((text: string) => string) | undefined;
}

/** The part of a `LoggerProvider` that is used. */
export interface EventLoggerProvider {
  getLogger(name: string, version?: string): EventLogger;
}

/** The part of a `Logger` that is used. */
export interface EventLogger {
  emit(record: {
    readonly eventName?: string;
    readonly timestamp?: TimeInput;
    readonly severityNumber?: number;
    readonly severityText?: string;
    readonly attributes?: { readonly [name: string]: unknown };
    readonly context?: Context;
  }): void;
}

/** The options that apply to every run. */
export interface Settings {
  readonly contentInSpans: boolean;
  readonly contentInEvents: boolean;
  /** Whether the event with the details of a request is emitted. */
  readonly emitsDetails: boolean;
  readonly messages: "new" | "all" | "none";
  readonly maxStringBytes: number;
  readonly maxBytes: number;
  readonly redact: ((text: string) => string) | undefined;
}

/** Combines the options with the environment. @throws {TypeError} Names an option that is not valid. */
export function readSettings(options: OpenTelemetryOptions, env: Environment = environment()): Settings {
  const { captureContent, content = {}, metrics } = options;
  const { messages = "new", maxStringBytes = 16_384, maxBytes = 131_072, redact } = content;
  const capture = typeof captureContent === "boolean" ? fromBoolean(captureContent) : captureContent;
  if (capture !== undefined && !isCapture(capture))
    throw new TypeError(`captureContent must be a boolean or one of ${CAPTURES.join(", ")}, got ${String(capture)}`);
  if (messages !== "new" && messages !== "all" && messages !== "none")
    throw new TypeError(`content.messages must be "new", "all" or "none", got ${String(messages)}`);
  checkLimit("content.maxStringBytes", maxStringBytes);
  checkLimit("content.maxBytes", maxBytes);
  if (redact !== undefined && typeof redact !== "function") throw new TypeError("content.redact must be a function");
  if (metrics !== undefined && metrics !== "2025")
    throw new TypeError(`metrics must be "2025", got ${String(metrics)}`);
  const where = capture ?? captureOf(env["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"]);
  const contentInEvents = where === "EVENT_ONLY" || where === "SPAN_AND_EVENT";
  return {
    contentInSpans: where === "SPAN_ONLY" || where === "SPAN_AND_EVENT",
    contentInEvents,
    emitsDetails: contentInEvents || env["OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT"]?.toLowerCase() === "true",
    messages,
    maxStringBytes,
    maxBytes,
    redact,
  };
}

const CAPTURES: readonly CaptureContent[] = ["NO_CONTENT", "SPAN_ONLY", "EVENT_ONLY", "SPAN_AND_EVENT"];

type Environment = { readonly [name: string]: string | undefined };

function isCapture(value: string): value is CaptureContent {
  return CAPTURES.some((one) => one === value);
}

/** An unknown value captures nothing; `true` is what older instrumentations read. */
function captureOf(value: string | undefined): CaptureContent {
  const name = value?.trim().toUpperCase() ?? "";
  if (name === "TRUE") return "SPAN_ONLY";
  return isCapture(name) ? name : "NO_CONTENT";
}

function fromBoolean(captures: boolean): CaptureContent {
  return captures ? "SPAN_ONLY" : "NO_CONTENT";
}

function checkLimit(name: string, bytes: number): void {
  if (!Number.isInteger(bytes) || bytes < 256)
    throw new TypeError(`${name} must be an integer of at least 256, got ${bytes}`);
}

/** Empty where there is no `process`, as in browsers. */
function environment(): Environment {
  // Its type is declared for Node only.
  return (globalThis as { process?: { env?: Environment } }).process?.env ?? {};
}
