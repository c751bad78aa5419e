/** Set-up of the system project: a folder for what the files of one run share. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** Removed after the run; for `oncePerRun()` in tests of the system project. */
    runFolder: string;
  }
}

/** @returns What removes it again. */
export function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), "pollux-run-"));
  project.provide("runFolder", folder);
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
