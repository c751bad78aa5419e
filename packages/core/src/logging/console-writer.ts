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
