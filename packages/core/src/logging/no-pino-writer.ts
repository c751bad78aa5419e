/** Stands in for node/pino-writer.ts on runtimes that are not like Node. @throws Always: there is no pino. */
export function openPinoWriter(): never {
  throw new Error("pino runs on Node, Bun and Deno");
}
