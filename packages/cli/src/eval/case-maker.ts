import { dirname, join, relative } from "node:path";
import type { SessionStore } from "@pollux/core";
import { proposeCase, writeSessionCase } from "@pollux/evals";
import type { CaseDraft, RunForCase } from "@pollux/inspector";
import { UsageError } from "../command.ts";
import { chooseSuite } from "./find-suites.ts";

/** Makes cases for the inspector's page, as `pollux eval add` does. */
export function caseMaker(
  store: SessionStore,
  exchangesStore: SessionStore | undefined,
  secrets: readonly string[],
): (run: RunForCase) => Promise<CaseDraft> {
  return async ({ sessionId, runId, suite: asked }) => {
    try {
      // By its name only: a page must not choose what is loaded.
      const { suite, file } = await chooseSuite(asked, false);
      const id = sessionId.replaceAll(/[^\w-]/g, "-").slice(0, 100);
      const folder = join(dirname(file), "cases", id);
      const proposed = await proposeCase({ store, exchangesStore, sessionId, runId, suite, secrets });
      const { differences, problem, files } = proposed;
      return { folder: relative("", folder), differences, problem, write: () => writeSessionCase(folder, files) };
    } catch (error) {
      throw error instanceof UsageError ? new TypeError(error.message, { cause: error }) : error;
    }
  };
}
