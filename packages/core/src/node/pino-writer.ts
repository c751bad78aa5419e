import { createRequire } from "node:module";
import type * as Pino from "pino";
import type { Level, LogWriter } from "../logging/logger.ts";

/** JSON lines through pino, on Node and compatible runtimes. @throws Without pino, as in a bundle without `node_modules`. */
export function openPinoWriter(threshold: Level): LogWriter {
  // Bundlers would follow an `import()` and add pino's 60 KB to programs that never log.
  const { pino } = createRequire(import.meta.url)("pino") as typeof Pino;
  // Standard error keeps the program's own output clean; a synchronous write loses no lines on exit.
  const logger = pino({ level: threshold, name: "pollux" }, pino.destination({ dest: 2, sync: true }));
  return (level, facts, message) => logger[level](facts, message);
}
