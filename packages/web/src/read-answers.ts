import type { Approval, ExternalOutcome } from "@pollux/core";
import { BadRequestError, type ChatAnswer } from "./chat-protocol.ts";
import { isRecord, type JsonRecord, someText } from "./json.ts";

/** An answer to a question. */
export interface GivenAnswer extends Given {
  /** Of the question. */
  readonly token: string;
  /** Of the call, as a page names it. */
  readonly toolCallId?: string | undefined;
}

/** The content of an answer. A withdrawal has both members. */
export type Given = Pick<ChatAnswer, "approval" | "outcome">;

/** Reads answers from a body that nobody has checked. @throws {BadRequestError} For an unusable one. */
export function readAnswers(given: unknown): readonly GivenAnswer[] {
  if (given === undefined) return [];
  if (!Array.isArray(given)) throw new BadRequestError('"answers" must be a list');
  return (given as readonly unknown[]).map((entry) => {
    const one = isRecord(entry) ? entry : {};
    const { token, toolCallId } = one;
    const read = readAnswer(one);
    if (read === undefined || typeof token !== "string" || token === "")
      throw new BadRequestError(
        'each of the "answers" needs the "token" of its question, and "approved", "args", "output", "errorText", "notExecuted" or "withdrawn"',
      );
    return { token, ...(typeof toolCallId === "string" && { toolCallId }), ...read };
  });
}

function readAnswer(one: JsonRecord): Given | undefined {
  const { withdrawn } = one;
  if (withdrawn === true || typeof withdrawn === "string") {
    const answer = { withdrawn: withdrawn === "" ? true : withdrawn } as const;
    // It fits any question.
    return { approval: answer, outcome: answer };
  }
  const approval = readEdits(one) ?? readApproval(one);
  if (approval !== undefined) return { approval };
  if ("output" in one) return { outcome: { output: one["output"] } };
  if (one["notExecuted"] === true) return { outcome: { notExecuted: true } };
  return "errorText" in one ? { outcome: errorOutcome(one["errorText"]) } : undefined;
}

/** A decision, as the AI SDK writes it. */
export function readApproval({ approved, reason }: JsonRecord): Approval | undefined {
  return typeof approved === "boolean" ? decision(approved, reason) : undefined;
}

/** @param reason - Of a denial, for the model. */
export function decision(approved: boolean, reason: unknown): Approval {
  return !approved && typeof reason === "string" && reason !== "" ? { deny: reason } : approved;
}

/** An approval with other arguments. */
function readEdits({ approved = true, args }: JsonRecord): Approval | undefined {
  if (args === undefined || approved !== true) return undefined;
  if (!isRecord(args)) throw new BadRequestError('"args" must be an object: all arguments of the call');
  return { args };
}

/** The outcome of a call that failed. */
export function errorOutcome(errorText: unknown): ExternalOutcome {
  return { error: someText(errorText) ?? "The call failed." };
}
