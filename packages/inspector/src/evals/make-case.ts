import { HttpError } from "@pollux/core/serving";
import { createHash } from "node:crypto";
import { fieldsOf, textOf } from "../inspection/read-values.ts";
import type { ActionHandler } from "../server/handlers.ts";

/** A recorded run to turn into a case. */
export interface RunForCase {
  readonly sessionId: string;
  readonly runId: string;
  /** Name of a suite; absent when the person named none. */
  readonly suite?: string | undefined;
}

/** A case that could be written. */
export interface CaseDraft {
  /** The folder for its files. */
  readonly folder: string;
  /** Texts that the case replaces, with their replacements. */
  readonly differences: readonly { readonly where: string; readonly was: string; readonly is: string }[];
  /** Why it can't be written, and what to do. */
  readonly problem?: string | undefined;
  readonly write: () => void | Promise<void>;
}

/** A draft as the page gets it. */
export interface ShownCase extends Omit<CaseDraft, "write"> {
  /** A hash of all of it. */
  readonly draft: string;
  readonly isWritten: boolean;
}

/** Shows the case that a run (`runId`, `suite`) would make; writes it when the body has the hash of that `draft`, and it is still the same. */
export const makeCaseAction: ActionHandler = async ({ id, makeCase }, body): Promise<ShownCase> => {
  const { runId, suite, draft } = fieldsOf(body);
  if (makeCase === undefined)
    throw new HttpError(409, "no_suite", "The inspector was started without a suite of evals.");
  const { write, ...shown } = await makeCase({
    sessionId: id,
    runId: textOf(runId) ?? "",
    suite: textOf(suite) || undefined,
  });
  const now = createHash("sha256").update(JSON.stringify(shown)).digest("hex");
  if (draft === undefined) return { ...shown, draft: now, isWritten: false };
  if (draft !== now || shown.problem !== undefined)
    throw new HttpError(409, "changed", "The case is no longer the one that was shown: look at it again.");
  await write();
  return { ...shown, draft: now, isWritten: true };
};
