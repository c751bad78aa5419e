import { HttpError } from "@pollux/core/serving";
import type { Approval, ExternalOutcome } from "@pollux/core";
import type { PendingQuestionView } from "@pollux/core/conversation";
import { isSame } from "../json.ts";
import type { TakenAnswer } from "./answers.ts";
import type { Visitor } from "./authorize.ts";

/** An answer that a page gives, before it is stored. */
export interface PageAnswer<Context = unknown> {
  readonly request: Request;
  readonly visitor: Visitor<Context>;
  /** The call, and the question about it. */
  readonly question: PendingQuestionView;
  readonly answer: Approval | ExternalOutcome;
  /** Names of the arguments that an approval changes. */
  readonly edited: readonly string[];
}

/**
 * Decides whether a page may give an answer. Asked about each one before it is stored, perhaps more than once. It may refuse what the tool
 * leaves to the user, and allow what it doesn't.
 *
 * @returns True: it may. False: it may not (403). Undefined: what the tool says counts. A response is sent instead of anything else.
 */
export type AuthorizeAnswer<Context = unknown> = (
  answer: PageAnswer<Context>,
) => boolean | undefined | Response | Promise<boolean | undefined | Response>;

/**
 * Checks that a page may give some answers.
 *
 * @returns What the application sends instead.
 * @throws {HttpError} For one that it may not give.
 */
export async function checkRights<Context>(
  authorizeAnswer: AuthorizeAnswer<Context> | undefined,
  { request, visitor }: Pick<PageAnswer<Context>, "request" | "visitor">,
  answers: readonly TakenAnswer[],
): Promise<Response | undefined> {
  for (const { question, answer } of answers) {
    // The outcome of a job comes only from a report.
    if (question.question === "job" && !isTakenBack(answer)) throw refused(question);
    const edited = editedNames(question, answer);
    const verdict: unknown = await authorizeAnswer?.({ request, visitor, question, answer, edited });
    if (verdict instanceof Response) return verdict;
    if (verdict !== undefined && typeof verdict !== "boolean")
      throw new TypeError("authorizeAnswer() must return true, false, undefined or a Response");
    const refusal =
      verdict === undefined ? findRefusal(question, answer, edited) : verdict ? undefined : refused(question);
    if (refusal !== undefined) throw refusal;
  }
  return undefined;
}

function findRefusal(
  question: PendingQuestionView,
  answer: TakenAnswer["answer"],
  edited: readonly string[],
): HttpError | undefined {
  const { editable = [], name } = question;
  const isUnknown = question.question === "unknown-outcome";
  if (!isUnknown && isTakenBack(answer)) return undefined;
  if (question.approvedBy !== "user") return refused(question);
  const fixed = edited.filter((argument) => !editable.includes(argument));
  if (fixed.length === 0) return undefined;
  const names = fixed.join(", ");
  return new HttpError(
    403,
    "not_editable",
    `${name}: ${names} may not be changed. The tool's editable does not allow it.`,
  );
}

/** True for a denial and for a withdrawal. */
function isTakenBack(answer: TakenAnswer["answer"]): boolean {
  return typeof answer === "boolean" ? !answer : "deny" in answer || "withdrawn" in answer;
}

function refused({ name, question, approvedBy }: PendingQuestionView): HttpError {
  const who = approvedBy === undefined ? "somebody else" : `"${approvedBy}"`;
  const why =
    question === "unknown-outcome"
      ? "A page can't say whether an interrupted call took effect."
      : question === "job"
        ? "Only the job's service reports its outcome."
        : `It is up to ${who}: the tool's approvedBy says who answers.`;
  return new HttpError(403, "not_yours", `${name}: you may not answer this call. ${why}`);
}

/** The arguments that an approval changes, adds or leaves out. */
function editedNames({ args: shown }: PendingQuestionView, answer: TakenAnswer["answer"]): readonly string[] {
  if (typeof answer === "boolean" || !("args" in answer)) return [];
  const { args } = answer;
  return [...new Set([...Object.keys(shown), ...Object.keys(args)])].filter((name) => !isSame(shown[name], args[name]));
}
