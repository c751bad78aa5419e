import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { PGlite } from "@electric-sql/pglite";

/**
 * An empty database of PGlite's. To make one takes seconds of the processor, and to unpack one that was made before a fifth of that: the
 * first one that a version of PGlite makes here is kept for all tests.
 */
export async function openPglite(): Promise<PGlite> {
  const file = keptFile();
  const kept = await readFile(file).catch(() => undefined);
  if (kept !== undefined) return await PGlite.create({ loadDataDir: new Blob([kept]) });
  const made = await PGlite.create();
  const dump = await made.dumpDataDir("none");
  // Whole or not at all: other processes read it, or make their own.
  const own = `${file}.${randomUUID()}`;
  writeFileSync(own, Buffer.from(await dump.arrayBuffer()));
  renameSync(own, file);
  return made;
}

/** Its name says what it was made by: the paths of an install have its version. */
function keptFile(): string {
  const folder = fileURLToPath(new URL("../../../../node_modules/.cache/pglite/", import.meta.url));
  mkdirSync(folder, { recursive: true });
  const made = createRequire(import.meta.url).resolve("@electric-sql/pglite");
  return `${folder}${createHash("sha256").update(made).digest("hex").slice(0, 16)}.tar`;
}
