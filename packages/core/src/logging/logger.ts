import { type Environment, processEnvironment } from "../internal/environment.ts";

/** One line of a log: facts first, then a short message, as pino takes them. */
export interface LogMethod {
  (facts: object, message: string): void;
}

/** The five methods of a pino logger that this library calls; pass a pino instance or anything shaped like it. */
export interface Logger {
  readonly trace: LogMethod;
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
}

/** Does nothing. The default unless `POLLUX_LOG` names a level. */
export const SILENT: Logger = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** What turns lines into output: pino, unless a test says otherwise. */
export type LoadWriter = (threshold: Level) => Promise<LogWriter>;

/**
 * Silent, unless the variable `POLLUX_LOG` is a level (`trace`, `debug`, `info`, `warn`, `error`): then JSON lines on
 * standard error through pino, which is loaded with the first line, or through `console.error` where there is no pino.
 * Any other value is silent too.
 */
export function defaultLogger(env: Environment = processEnvironment(), load: LoadWriter = loadPino): Logger {
  const level = LEVELS.find((name) => name === env["POLLUX_LOG"]?.toLowerCase());
  return level === undefined ? SILENT : lazyLogger(level, load);
}

function lazyLogger(threshold: Level, load: LoadWriter): Logger {
  // Lines written before the writer is there, in order.
  let waiting: Parameters<LogWriter>[] = [];
  let loading: Promise<void> | undefined;
  let write: LogWriter = (...line) => {
    waiting.push(line);
    loading ??= load(threshold)
      .catch(() => writeToConsole)
      .then((writer) => {
        write = writer;
        for (const early of waiting) writer(...early);
        waiting = [];
      });
  };
  const method = (level: Level): LogMethod =>
    LEVELS.indexOf(level) < LEVELS.indexOf(threshold)
      ? SILENT[level]
      : (facts, message) => write(level, facts, message);
  return {
    trace: method("trace"),
    debug: method("debug"),
    info: method("info"),
    warn: method("warn"),
    error: method("error"),
  };
}

/** Which file this is stands in `imports` of package.json: under the condition `node` the one with pino, elsewhere one that throws. */
async function loadPino(threshold: Level): Promise<LogWriter> {
  const { openPinoWriter } = await import("#pino-writer");
  return openPinoWriter(threshold);
}

/** Levels of a log, from the most talkative on. */
export const LEVELS = ["trace", "debug", "info", "warn", "error"] as const;

/** One of {@link LEVELS}. */
export type Level = (typeof LEVELS)[number];

/** Writes one line of a level. */
export type LogWriter = (level: Level, facts: object, message: string) => void;

/** Writes a line as JSON through `console.error`: on runtimes that are not like Node, and where there is no pino. */
export function writeToConsole(level: Level, facts: object, message: string): void {
  console.error(JSON.stringify({ level, name: "pollux", ...facts, msg: message }));
}
