import { describe, expect, test } from "vitest";
import type { AnyCall, AnyChatMessage, Metadata, PendingCall } from "../src/chat-message.ts";
import type { ChatSummary } from "../src/chat-server.ts";
import { describeCall, describeChat, describeEnding, describeWait, durationOf, isResumable } from "../src/words.ts";

describe("an ending", () => {
  // As a newer handler could write it.
  const ended = (metadata: object): Metadata => metadata;
  const failed = (stopReason: string, more: object = {}): Metadata => ended({ state: "failed", stopReason, ...more });
  const limited = (limit: string, limitScope?: string): Metadata =>
    ended({ state: "stopped", stopReason: "limit", limit, limitScope });
  test.each<[metadata: Metadata, says: string | undefined, canGoOn: boolean]>([
    [{ state: "complete", stopReason: "finished" }, undefined, false],
    [{ state: "streaming" }, undefined, false],
    [ended({ state: "waiting", stopReason: "pending" }), undefined, false],
    [ended({ state: "waiting", stopReason: "needs-outcome", pending: [] }), "This answer is ready to continue.", true],
    [{}, undefined, false],
    [{ state: "interrupted" }, "The server stopped in the middle of this answer.", true],
    [{ state: "stopped", stopReason: "aborted" }, "Stopped.", true],
    [limited("turns"), "The answer reached its limit of steps.", true],
    [limited("toolCalls"), "The answer reached its limit of tool calls.", true],
    [limited("totalTokens"), "The answer reached its limit of tokens.", true],
    [limited("cost"), "The answer reached its limit of cost.", true],
    [limited("wallTimeMs"), "The answer reached its limit of time.", false],
    [limited("cost", "session"), "This conversation reached its limit of cost.", false],
    [limited("cost", "owner"), "Your spending limit is used up.", true],
    [limited("somethingNew"), "The answer reached its limit of somethingNew.", true],
    [failed("blocked"), "The model’s safety filter ended this answer.", false],
    [failed("truncated"), "The answer is cut off: it reached the model’s length limit.", false],
    [failed("empty"), "The model said nothing.", false],
    [failed("bad-call"), "The model called a tool in a way that can’t be read.", false],
    [failed("invalid-output"), "The answer does not have the expected form.", false],
    [failed("unknown-finish"), "The model ended this answer for an unknown reason.", false],
    [failed("repeated-calls"), "The model went around in circles and was stopped.", false],
    [
      failed("guardrail", { guardrail: { name: "money", message: "No advice on money." } }),
      "No advice on money.",
      false,
    ],
    [failed("guardrail", { guardrail: { name: "money" } }), "This is not allowed here.", false],
    [failed("failed", { error: { message: "The day’s quota is used up." } }), "The day’s quota is used up.", true],
    [failed("failed"), "The answer failed.", true],
    [failed("something-new"), "The answer failed.", false],
  ])("%j is said as %j", (metadata, says, canGoOn) => {
    const message: AnyChatMessage = { id: "m", role: "assistant", parts: [], metadata };
    expect([describeEnding(message), isResumable(message)]).toEqual([says, canGoOn]);
  });
});

describe("a conversation in the list", () => {
  test.each<[state: ChatSummary["state"], ending: string | undefined, said: string | undefined]>([
    ["idle", undefined, undefined],
    ["idle", "finished", undefined],
    ["idle", "stopped", undefined],
    ["running", undefined, "busy: Answering"],
    ["waiting", "needs-approval", "asked: Needs you"],
    ["waiting", "needs-outcome", "asked: Needs you"],
    ["cut-off", undefined, "failed: Interrupted"],
    ["stopped", "aborted", "quiet: Stopped"],
    // As a handler of an older release lists it.
    ["stopped", undefined, "quiet: Stopped"],
    ["stopped", "limit", "quiet: Limit reached"],
    ["stopped", "failed", "failed: Failed"],
    ["idle", "guardrail", "quiet: Not allowed"],
    ["idle", "blocked", "failed: Blocked"],
    ["idle", "truncated", "failed: Cut off"],
    ["idle", "empty", "failed: No answer"],
    ["idle", "bad-call", "failed: Failed"],
    ["idle", "damaged", "failed: Failed"],
    // As a handler of a later release may list it.
    ["idle", "something-new", "failed: Failed"],
  ])("that is %s after %s is said to be %s", (state, ending, said) => {
    const standing = describeChat({ state, ending: ending as ChatSummary["ending"] });
    expect(standing && `${standing.kind}: ${standing.text}`).toBe(said);
  });

  test("that waits for jobs alone needs nobody", () => {
    const waiting = { state: "waiting", ending: "needs-outcome", waitsFor: "job" } as const;
    expect(describeChat(waiting)).toEqual({ kind: "busy", text: "Working" });
    expect(describeChat({ ...waiting, state: "stopped", ending: "aborted" })?.text).toBe("Stopped");
  });
});

test.each([
  [12_000, "12 s"],
  [11_001, "12 s"],
  [0, "1 s"],
  [-5, "1 s"],
  [60_000, "1 minute"],
  [290_000, "5 minutes"],
])("a wait of %i ms is said to be %s", (ms, said) => {
  expect(describeWait(ms)).toBe(`The service is busy. Trying again in ${said}.`);
});

describe("a call", () => {
  const answered = (approved: boolean): object => ({ state: "approval-responded", approval: { id: "a", approved } });
  const failure = (reason?: string): object => ({
    state: "output-error",
    errorText: "No.",
    ...(reason && { resultProviderMetadata: { pollux: { failure: reason } } }),
  });
  test.each<[call: object, asked: Partial<PendingCall> | undefined, open: string, over: string]>([
    [{ state: "input-streaming" }, undefined, "busy Preparing…", "busy Not run"],
    [{ state: "input-available" }, undefined, "busy Running…", "busy Not run"],
    [{ state: "input-available" }, { question: "outcome" }, "asked Waiting", "asked Waiting"],
    [
      { state: "input-available" },
      { question: "approval", approvedBy: "the office" },
      "asked Waiting for the office",
      "asked Waiting for the office",
    ],
    // A page may not say what happened to an interrupted call.
    [{ state: "input-available" }, { question: "unknown-outcome" }, "asked Waiting", "asked Waiting"],
    [
      { state: "approval-requested", approval: { id: "a" } },
      { question: "approval" },
      "asked Needs your approval",
      "asked Needs your approval",
    ],
    [answered(true), undefined, "busy Approved…", "busy Approved"],
    [answered(false), undefined, "busy Denied…", "busy Denied"],
    [{ state: "output-available", output: 1 }, undefined, "done Done", "done Done"],
    [{ state: "output-available", output: 1, preliminary: true }, undefined, "busy Running…", "busy Not finished"],
    [failure(), undefined, "failed Failed", "failed Failed"],
    [failure("threw"), undefined, "failed Failed", "failed Failed"],
    [failure("cancelled"), undefined, "quiet Not run", "quiet Not run"],
    [failure("withdrawn"), undefined, "quiet Withdrawn", "quiet Withdrawn"],
    [failure("not-run"), undefined, "quiet Not run", "quiet Not run"],
    [{ state: "output-denied", approval: { id: "a", approved: false } }, undefined, "quiet Denied", "quiet Denied"],
  ])("%j that waits for %j", (given, asked, open, over) => {
    // A call of any tool.
    const call = { type: "tool-any", toolCallId: "c", input: {}, ...given } as unknown as AnyCall;
    const shown = (isOpen: boolean): string => {
      const { kind, text, isBusy } = describeCall(call, asked as PendingCall | undefined, isOpen, 0);
      return `${kind} ${text}${isBusy ? "…" : ""}`;
    };
    expect([shown(true), shown(false)]).toEqual([open, over]);
  });
});

test.each([
  [1, "1 second"],
  [1499, "1 second"],
  [42_000, "42 seconds"],
  [60_000, "1 minute"],
  [3_599_000, "60 minutes"],
  [3_600_000, "1 hour"],
  [86_400_000, "1 day"],
])("%d ms are %s", (ms, said) => {
  expect(durationOf(ms)).toBe(said);
});
