/** Setup of the system project: packs our packages like for publishing, once for all tests. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { packPackages, type PackedPackage } from "../../scripts/pack-packages.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Our packages, packed; by `inject("packed")` in tests of the system project. */
    packed: readonly PackedPackage[];
  }
}

/** @returns A function that removes them. */
export async function setup(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), "pollux-packed-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    project.provide("packed", await packPackages(folder));
  } catch (error) {
    remove();
    throw error;
  }
  return remove;
}
