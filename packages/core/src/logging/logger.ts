import { type Environment, processEnvironment } from "../internal/environment.ts";

/** One line of a log: facts first, then a short message, as pino takes them. */
export interface LogMethod {
  (facts: object, message: string): void;
}

/** The five methods of a pino logger that this library calls; pass a pino instance or anything shaped like it. */
export type Logger = Readonly<Record<Level, LogMethod>>;

/** Does nothing. */
export const SILENT: Logger = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** A logger that adds facts to each line. @param bound - The facts; a function is called for each line. */
export function bindLogger(logger: Logger, bound: object | (() => object)): Logger {
  if (logger.warn === SILENT.warn) return logger;
  return loggerOf(
    (level) => (facts, message) =>
      logger[level]({ ...(typeof bound === "function" ? bound() : bound), ...facts }, message),
  );
}

function loggerOf(method: (level: Level) => LogMethod): Logger {
  return {
    trace: method("trace"),
    debug: method("debug"),
    info: method("info"),
    warn: method("warn"),
    error: method("error"),
  };
}

/** Opens the output: pino, except in tests. */
export type LoadWriter = (threshold: Level) => Promise<LogWriter>;

/**
 * If the variable `POLLUX_LOG` is a level (`trace`, `debug`, `info`, `warn`, `error`), writes JSON lines to standard error through
 * pino, which is loaded with the first line, or through `console.error` where there is no pino. `silent` writes nothing. Otherwise
 * only the first error of each tool is shown, through `console.error`: the model never reads what a tool threw, so a person has to.
 */
export function defaultLogger(env: Environment = processEnvironment(), load: LoadWriter = loadPino): Logger {
  const wanted = env["POLLUX_LOG"]?.toLowerCase();
  const level = LEVELS.find((name) => name === wanted);
  if (level !== undefined) return lazyLogger(level, load);
  return wanted === "silent" ? SILENT : firstErrors();
}

function firstErrors(): Logger {
  const shown = new Set<unknown>();
  return {
    ...SILENT,
    error(facts, message) {
      const { err, tool }: { readonly err?: unknown; readonly tool?: unknown } = facts;
      if (shown.has(tool)) return;
      shown.add(tool);
      console.error(
        `Pollux: ${message}: ${String(tool)} (only the first error of each tool is shown: POLLUX_LOG=error logs all, POLLUX_LOG=silent none)`,
      );
      console.error(err);
    },
  };
}

function lazyLogger(threshold: Level, load: LoadWriter): Logger {
  // Lines from before the writer is loaded, in order.
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
  return loggerOf((level) =>
    LEVELS.indexOf(level) < LEVELS.indexOf(threshold)
      ? SILENT[level]
      : (facts, message) => write(level, facts, message),
  );
}

/** `imports` in package.json selects the file: with pino under the condition `node`, elsewhere one that throws. */
async function loadPino(threshold: Level): Promise<LogWriter> {
  const { openPinoWriter } = await import("#pino-writer");
  return openPinoWriter(threshold);
}

/** Levels of a log, most verbose first. */
const LEVELS = ["trace", "debug", "info", "warn", "error"] as const;

/** One of {@link LEVELS}. */
export type Level = (typeof LEVELS)[number];

/** Writes one line of a level. */
export type LogWriter = (level: Level, facts: object, message: string) => void;

/** Writes a line as JSON through `console.error`: on runtimes unlike Node, and without pino. */
function writeToConsole(level: Level, facts: object, message: string): void {
  console.error(JSON.stringify({ level, name: "pollux", ...facts, msg: message }));
}
