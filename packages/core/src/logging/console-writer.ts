/** JSON lines through `console.error`, on runtimes that are not like Node. @see openLogWriter of node/pino-writer.ts */
export function openLogWriter(_threshold: Level): LogWriter {
  return (level, facts, message) => {
    console.error(JSON.stringify({ level, name: "pollux", ...facts, msg: message }));
  };
}

/** Levels of a log, from the most talkative on. */
export const LEVELS = ["trace", "debug", "info", "warn", "error"] as const;

/** One of {@link LEVELS}. */
export type Level = (typeof LEVELS)[number];

/** Writes one line of a level. */
export type LogWriter = (level: Level, facts: object, message: string) => void;
