/** Replaces node/pino-writer.ts on runtimes unlike Node. @throws Always: there is no pino. */
export function openPinoWriter(): never {
  throw new Error("pino runs on Node, Bun and Deno");
}
