/** Levels of a log, from the most talkative on. */
export const LEVELS = ["trace", "debug", "info", "warn", "error"] as const;

/** One of {@link LEVELS}. */
export type Level = (typeof LEVELS)[number];

/** Writes one line of a level. */
export type LogWriter = (level: Level, facts: object, message: string) => void;
