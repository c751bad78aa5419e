import { defineTool, type ExternalOutcome, type PendingCall, type Tool, ToolError } from "@pollux/core";
import { z } from "zod/v4";

/** The model's question. */
export interface UserQuestion {
  readonly question: string;
  /** Suggested answers; the user may also give another one. */
  readonly choices?: readonly string[] | undefined;
}

/** What the model reads. */
export interface UserAnswer {
  readonly answer: string;
}

/** Options of {@link askUser}. */
export interface AskUserOptions {
  /** @defaultValue "ask_user" */
  readonly name?: string | undefined;
  /**
   * Asks the user and resolves with the answer, or `undefined` if there is none. `signal` aborts when the answer is no
   * longer needed. Without `ask`, the run ends with `needs-outcome`, and the session continues once it has the answer.
   */
  readonly ask?:
    | ((
        question: UserQuestion,
        context: { readonly signal: AbortSignal; readonly callId: string },
      ) => Promise<string | undefined>)
    | undefined;
  /** For `ask`: milliseconds until the model reads that no answer came. @defaultValue 600_000 */
  readonly timeoutMs?: number | undefined;
}

const QUESTION = z.object({
  question: z.string().trim().min(1).max(2_000).describe("One self-contained question"),
  choices: z.array(z.string().trim().min(1).max(200)).min(2).max(10).optional().describe("Answers to choose from"),
});

const DESCRIPTION =
  "Asks the user one question. Use it only when you cannot continue without the answer and cannot find it yourself, not to ask for permission or to make small talk.";

/** `ask_user`: asks the user a question in the middle of a run. */
export function askUser(options: AskUserOptions = {}): Tool<UserQuestion, UserAnswer> {
  const { name = "ask_user", ask, timeoutMs = 600_000 } = options;
  const spec = { name, description: DESCRIPTION, input: QUESTION, effects: "none" as const, reads: "trusted" as const };
  // Without `run`, the answer comes from outside.
  if (ask === undefined) return defineTool<typeof QUESTION, UserAnswer>({ ...spec, approvedBy: "user" });
  return defineTool({
    ...spec,
    timeoutMs,
    run: async (question, { signal, callId }): Promise<UserAnswer> => {
      const answer = await ask(question, { signal, callId });
      if (answer === undefined)
        throw new ToolError("the user did not answer; continue as best you can without an answer");
      return { answer };
    },
  });
}

/** A question that a run is waiting for. */
export interface PendingUserQuestion extends UserQuestion {
  /** The key of the answer in `session.resume({ outcomes })`. */
  readonly token: string;
}

/**
 * The questions to the user among a run's pending calls.
 *
 * @param name - The tool's name. @defaultValue "ask_user"
 */
export function userQuestions(pending: readonly PendingCall[], name: string = "ask_user"): PendingUserQuestion[] {
  return pending.flatMap(({ call, token, question }) => {
    if (call.name !== name || question !== "outcome") return [];
    const parsed = QUESTION.safeParse(call.args);
    return parsed.success ? [{ token, ...parsed.data }] : [];
  });
}

/**
 * The user's answer, for `session.resume({ outcomes: { [token]: userAnswer("Blue") } })`.
 *
 * @param answer - `undefined` if the user declined to answer.
 */
export function userAnswer(answer: string | undefined): ExternalOutcome {
  return answer === undefined
    ? { error: "the user did not answer; continue as best you can without an answer" }
    : { output: { answer } satisfies UserAnswer };
}
