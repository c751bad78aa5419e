import { existsSync } from "node:fs";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { inject } from "vitest";

/**
 * Makes a folder that all test files of a run of the system project share, such as a built page. Nobody may write to it afterward.
 *
 * @param name - Name of the content.
 * @param make - Fills the given folder. Test files that need it at the same time may each make one; one of them stays.
 * @returns The folder's path.
 */
export async function oncePerRun(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(inject("runFolder"), name);
  if (existsSync(folder)) return folder;
  const own = await mkdtemp(`${folder}-`);
  await make(own);
  await rename(own, folder).catch(async (error: unknown) => {
    if (!existsSync(folder)) throw error;
    await rm(own, { recursive: true });
  });
  return folder;
}
