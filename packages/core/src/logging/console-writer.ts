import type { Level, LogWriter } from "./log-writer.ts";

/** JSON lines through `console.error`, on runtimes that are not like Node. @see openLogWriter of node/pino-writer.ts */
export function openLogWriter(_threshold: Level): LogWriter {
  return (level, facts, message) => {
    console.error(JSON.stringify({ level, name: "pollux", ...facts, msg: message }));
  };
}
