import type * as Pino from "pino";
import { type Environment, processEnvironment } from "../internal/environment.ts";
import { type Logger, type LogMethod, SILENT } from "./logger.ts";

const LEVELS = ["trace", "debug", "info", "warn", "error"] as const;

type Level = (typeof LEVELS)[number];

/** Writes one line of a level. */
type Write = (level: Level, facts: object, message: string) => void;

/** What turns lines into output: pino, unless a test says otherwise. */
export type LoadWriter = (level: Level) => Promise<Write>;

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
  let waiting: Parameters<Write>[] = [];
  let loading: Promise<void> | undefined;
  let write: Write = (...line) => {
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

/** By a name that bundlers leave alone: a bundled application that never logs does not carry pino's 60 KB. */
const PINO: string = "pino";

async function loadPino(level: Level): Promise<Write> {
  // The comments keep bundlers from warning that they cannot follow this.
  const { pino } = (await import(/* @vite-ignore */ /* webpackIgnore: true */ PINO)) as typeof Pino;
  // Standard error, so that a program's own output stays clean; synchronous, so that the last lines are not lost.
  const logger = pino({ level, name: "pollux" }, pino.destination({ dest: 2, sync: true }));
  return (lineLevel, facts, message) => logger[lineLevel](facts, message);
}

function writeToConsole(level: Level, facts: object, message: string): void {
  console.error(JSON.stringify({ level, name: "pollux", ...facts, msg: message }));
}
