import { fileURLToPath } from "node:url";
import { buildPage } from "../../../examples/web-chat/server/build-page.ts";
import { oncePerRun } from "../../support/once-per-run.ts";

/** The page of an example, built once for all tests of a run. @returns The folder that it is in. */
export async function builtPage(example: "web-chat" | "research-chat"): Promise<string> {
  const root = fileURLToPath(new URL(`../../../examples/${example}`, import.meta.url));
  return await oncePerRun(`page-of-${example}`, (folder) => buildPage(folder, root));
}
