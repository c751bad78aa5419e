import { createRequire } from "node:module";
import type * as Pino from "pino";
import type { Level, LogWriter } from "../logging/logger.ts";

/**
 * JSON lines through pino, on Node and what is like it.
 *
 * @throws When pino cannot be found, as in a program that was bundled and stands alone.
 */
export function openPinoWriter(threshold: Level): LogWriter {
  // Not by `import()`: bundlers would follow it, and a program that never logs would carry pino's 60 KB.
  const { pino } = createRequire(import.meta.url)("pino") as typeof Pino;
  // Standard error, so that a program's own output stays clean; synchronous, so that the last lines are not lost.
  const logger = pino({ level: threshold, name: "pollux" }, pino.destination({ dest: 2, sync: true }));
  return (level, facts, message) => logger[level](facts, message);
}
