import type { Content, Part, SessionEntry } from "@pollux/core";
import { stepName, type StepPlace } from "@pollux/core/durable";
import { describe, expect, test } from "vitest";
import { deriveOpen, type DeriveOptions } from "../../../src/session/log/derive-open.ts";
import type { RunEntry } from "../../../src/session/log/entries.ts";
import { addToRecord, beginRecord, type RunRecord } from "../../../src/session/log/run-record.ts";
import { resolveRefs } from "../../../src/session/log/turn-record.ts";
import { SessionView } from "../../../src/session/log/session-view.ts";
import { NO_USAGE } from "../../../src/model/usage.ts";

type Entry = Parameters<typeof addToRecord>[1];

const base = { v: 3, at: 1, runId: "r" };
const times = { startedAt: 1, endedAt: 2 };

function step(place: StepPlace, value: unknown): Entry {
  // JSON, as a step leaves it.
  return { ...base, type: "step", step: stepName(place), place, outcome: { ok: true, value: value as never } };
}

/** What the model answered, in one attempt of a turn. */
function model(turn: number, parts: readonly Part[], more: object = {}, attempt = 0, finishReason = "STOP"): Entry {
  const response = { content: { role: "model", parts }, finishReason, usage: NO_USAGE, candidate: {}, envelope: {} };
  return step({ kind: "model", phase: "work", turn, attempt }, { response, ...times, ...more });
}

const say = (text: string): Part => ({ text });
const call = (name: string, args?: object): Part => ({ functionCall: { name, ...(args && { args }) } }) as Part;
const responds = (name: string, response: object): Part => ({ functionResponse: { name, response } }) as Part;
const user = (...parts: readonly Part[]): Content => ({ role: "user", parts });
const said = (...parts: readonly Part[]): Content => ({ role: "model", parts });

const callPlace = (turn: number, index: number, attempt = 0): StepPlace => ({
  kind: "call",
  turn,
  callId: `call:${turn}.${index}`,
  attempt,
});

function done(turn: number, index: number, name: string, more: object = {}, attempt = 0): Entry {
  const value = { part: responds(name, { output: "ok" }), after: [], nested: [], durationMs: 1, ...times, ...more };
  return step(callPlace(turn, index, attempt), value);
}

function begun(turn: number, index: number, attempt = 0): Entry {
  const place = callPlace(turn, index, attempt);
  return { ...base, type: "begin", step: stepName(place), place };
}

function answer(index: number, question: "approval" | "outcome" | "unknown-outcome", value: unknown, time = 1): Entry {
  const place: StepPlace = { kind: "wait", turn: 1, callId: `call:1.${index}`, question, time };
  // JSON, as it was answered.
  return { ...base, type: "answer", step: stepName(place), place, value: value as never, token: `${index}` };
}

const route = (...routes: readonly object[]): Entry => step({ kind: "route", turn: 1 }, routes);
const checked = (turn: number, actions: readonly object[], more: object = {}, attempt = 0): Entry =>
  step({ kind: "guard", turn, side: "output", attempt }, { actions, ...times, ...more });
const STOP = { name: "g", action: "stop", reason: "no" };

const CANCELLED = "cancelled: the run ended before this call finished";
const UNANSWERED = "not run: the answer this call was waiting for never arrived";
const UNKNOWN = expect.stringMatching(/^interrupted: .* it is unknown whether this call took effect/);

function recordOf(entries: readonly Entry[], run: Partial<RunEntry> = {}): RunRecord {
  const origin = { endpoint: "test", family: "test" };
  const entry: RunEntry = { ...base, type: "run", loop: 6, agent: "a", model: "m", origin, input: [], ...run };
  const record = beginRecord(entry, { steeringCursor: 0, spentBefore: new SessionView().spent() });
  for (const one of entries) addToRecord(record, one);
  return record;
}

function derived(entries: readonly Entry[], options: DeriveOptions = {}, run: Partial<RunEntry> = {}) {
  const record = recordOf(entries, run);
  const { turns, ending, draft } = deriveOpen(record, options);
  return { turns, ending, draft, contents: turns.flatMap((turn) => resolveRefs(turn, record.outcomes)) };
}

describe("a run without an end", () => {
  const answered = [model(1, [call("look")]), done(1, 0, "look")];
  const told = [said(call("look")), user(responds("look", { output: "ok" }))];

  test.each<[string, readonly Entry[], readonly Content[], unknown]>([
    ["of which nothing is recorded was aborted", [], [], "aborted"],
    ["finished with a whole answer", [model(1, [say("Hi.")])], [said(say("Hi."))], "finished"],
    ["was aborted after its calls", answered, told, "aborted"],
    [
      "finished with the answer after them",
      [...answered, model(2, [say("Hi.")])],
      [...told, said(say("Hi."))],
      "finished",
    ],
    [
      "was aborted when a message waited for its answer",
      [model(1, [say("Hi.")], { steeringWaits: true })],
      [said(say("Hi."))],
      "aborted",
    ],
    [
      "finished with a call that ends it",
      [model(1, [call("look")]), done(1, 0, "look", { ending: { output: 1 } })],
      told,
      "finished",
    ],
    [
      "was aborted with an answer that was cut",
      [model(1, [say("Hi")], {}, 0, "MAX_TOKENS")],
      [said(say("Hi"))],
      "aborted",
    ],
    ["has no answer that was blocked", [model(1, [say("Hi")], {}, 0, "SAFETY")], [], "aborted"],
    [
      "keeps the last attempt of a turn",
      [model(1, [], {}, 0), model(1, [say("Hi.")], {}, 1)],
      [said(say("Hi."))],
      "finished",
    ],
    [
      "has no prompt that was too long",
      [step({ kind: "model", phase: "work", turn: 1, attempt: 0 }, { tooLong: true })],
      [],
      "aborted",
    ],
    [
      "has the messages that steered it",
      [...answered, model(2, [say("Hi.")], { steered: { contents: [user(say("And?")), user(say("Now?"))], upTo: 4 } })],
      [...told, user(say("And?")), user(say("Now?")), said(say("Hi."))],
      "finished",
    ],
    [
      "was ended by the guardrail that stopped a message",
      [
        step(
          { kind: "model", phase: "work", turn: 1, attempt: 0 },
          { stopped: true, checked: [STOP], steered: { contents: [], upTo: 1 }, ...times },
        ),
      ],
      [],
      { name: "g", side: "input", reason: "no" },
    ],
    [
      "has the answer that a guardrail gave",
      [
        step(
          { kind: "guard", turn: 1, side: "input", attempt: 0 },
          { actions: [{ name: "g", action: "answer" }], response: { content: said(say("No.")) }, ...times },
        ),
      ],
      [said(say("No."))],
      "finished",
    ],
    ["withholds an answer that nobody checked", [model(1, [say("Hi.")], { guarded: "held" })], [], "aborted"],
    [
      "has an answer as its guardrails let it pass",
      [
        model(1, [say("Secret.")], { guarded: "held" }),
        checked(1, [{ name: "g", action: "replace" }], {
          response: { content: said(say("***")), finishReason: "STOP", usage: NO_USAGE, candidate: {}, envelope: {} },
        }),
      ],
      [said(say("***"))],
      "finished",
    ],
    [
      "was ended by the guardrail that stopped its answer",
      [model(1, [say("Secret.")], { guarded: "shown" }), checked(1, [STOP])],
      [],
      { name: "g", side: "output", reason: "no" },
    ],
  ])("%s", (_name, entries, contents, ending) => {
    expect(derived(entries)).toMatchObject({ contents, ending });
  });

  test("of a typed answer was aborted: whether it matches is not known here", () => {
    const entries = [model(1, [say("{}")])];
    expect(derived(entries, {}, { output: "native" }).ending).toBe("aborted");
    expect(derived(entries, {}, { output: "converted" }).ending).toBe("aborted");
    expect(derived(entries, { steeringWaits: true }).ending).toBe("aborted");
  });

  test("keeps an output phase out of its contents", () => {
    const converted = step(
      { kind: "model", phase: "output", turn: 2, attempt: 0 },
      {
        response: { content: said(say("{}")), finishReason: "STOP", usage: NO_USAGE, candidate: {}, envelope: {} },
        ...times,
      },
    );
    const { turns } = derived([model(1, [say("Hi.")]), converted], {}, { output: "converted" });
    expect(turns).toMatchObject([
      { turn: 1 },
      { turn: 2, phase: "output", contents: [], steps: [{ step: "output/model:2" }] },
    ]);
  });

  test("derives only what follows its last closed turn", () => {
    const closed: Entry = { ...base, type: "turn", turn: 1, contents: [user(say("Instead."))], steps: [], calls: [] };
    expect(derived([...answered, closed, model(2, [say("Hi.")])]).turns).toMatchObject([{ turn: 2 }]);
  });
});

describe("calls of a run without an end", () => {
  const one = model(1, [call("pay", { euros: 40 })]);
  const asks = route({ do: "ask-approval" });

  test.each<[string, readonly Entry[], object]>([
    ["one that did not begin was cancelled", [one], { error: CANCELLED }],
    ["one that may have begun is unknown", [one, begun(1, 0)], { error: UNKNOWN }],
    [
      "one that ended has its outcome, whatever its tool is now",
      [one, begun(1, 0), done(1, 0, "pay")],
      { output: "ok" },
    ],
    ["one that waits for an approval has no answer", [one, asks], { error: UNANSWERED }],
    ["one that waits for an outcome has no answer", [one, route({ do: "ask-outcome" })], { error: UNANSWERED }],
    ["one that was approved was cancelled", [one, asks, answer(0, "approval", true)], { error: CANCELLED }],
    [
      "one that was denied is denied",
      [one, asks, answer(0, "approval", { deny: "too much" })],
      { error: "not run: the user denied this call: too much" },
    ],
    [
      "one whose request was taken back is withdrawn",
      [one, asks, answer(0, "approval", { withdrawn: "" })],
      { error: "not run: the user withdrew this request" },
    ],
    ["one that its route denied is denied", [one, route({ do: "deny", why: "never" })], { error: "never" }],
    [
      "one that was executed elsewhere has that outcome",
      [one, route({ do: "ask-outcome" }), answer(0, "outcome", { output: { paid: 40 } })],
      { output: { paid: 40 } },
    ],
    [
      "one of which nobody said whether it happened is unknown",
      [one, done(1, 0, "pay", { unknown: true })],
      { error: UNKNOWN },
    ],
    [
      "one that happened after all has the outcome that was said",
      [one, done(1, 0, "pay", { unknown: true }), answer(0, "unknown-outcome", { output: "paid" })],
      { output: "paid" },
    ],
    [
      "one that did not happen and ran again has the second outcome",
      [
        one,
        done(1, 0, "pay", { unknown: true, part: responds("pay", { error: "?" }) }),
        answer(0, "unknown-outcome", { notExecuted: true }),
        done(1, 0, "pay", {}, 1),
      ],
      { output: "ok" },
    ],
    [
      "one that did not happen and did not run again was cancelled",
      [one, done(1, 0, "pay", { unknown: true }), answer(0, "unknown-outcome", { notExecuted: true })],
      { error: CANCELLED },
    ],
    [
      "one whose edited arguments nobody has looked at has no answer",
      [one, asks, answer(0, "approval", { args: { euros: 5 } })],
      { error: UNANSWERED },
    ],
    [
      "one whose edited arguments need another approval has no answer",
      [
        one,
        asks,
        answer(0, "approval", { args: { euros: 5 } }),
        step({ kind: "reroute", turn: 1, callId: "call:1.0", time: 1 }, [{ do: "ask-approval" }]),
      ],
      { error: UNANSWERED },
    ],
  ])("%s", (_name, entries, response) => {
    expect(derived(entries).contents).toEqual([said(call("pay", { euros: 40 })), user(responds("pay", response))]);
  });

  test("a question that nobody answered in time says so", () => {
    const place: StepPlace = { kind: "wait", turn: 1, callId: "call:1.0", question: "approval", time: 1 };
    const error = { name: "WaitTimeoutError", message: "too late", code: "wait-timeout" };
    const late: Entry = { ...base, type: "step", step: stepName(place), place, outcome: { ok: false, error } };
    const { contents, turns } = derived([one, asks, late]);
    expect(contents[1]).toEqual(user(responds("pay", { error: "not run: this call was not approved in time" })));
    expect(turns[0]?.calls).toMatchObject([{ callId: "call:1.0", value: { failure: { kind: "timeout" } } }]);
  });

  test("one that ran with edited arguments says which, and has them in its record", () => {
    const note = "[edited] the user changed the arguments";
    const entries = [one, asks, answer(0, "approval", { args: { euros: 5 } })];
    const again = step({ kind: "reroute", turn: 1, callId: "call:1.0", time: 1 }, [{ do: "run" }]);
    const { turns, contents } = derived([...entries, again, done(1, 0, "pay", { after: [{ text: note }] })]);
    expect(turns[0]?.calls).toEqual([{ callId: "call:1.0", args: { euros: 5 }, step: "call:1.0" }]);
    expect(contents.at(-1)).toEqual(user({ text: note }));
  });

  test("an outcome that guardrails have not let pass is not told", () => {
    const entries = [one, route({ do: "ask-outcome" }), answer(0, "outcome", { output: "secret" })];
    const place: StepPlace = {
      kind: "guard",
      turn: 1,
      side: "input",
      attempt: 0,
      wait: entries[2] && "step" in entries[2] ? entries[2].step : "",
    };
    const told = (...more: readonly Entry[]) => derived([...entries, ...more], {}, { guarded: true }).contents[1];
    expect(told()).toEqual(user(responds("pay", { error: UNANSWERED })));
    expect(told(step(place, { actions: [STOP], ...times }))).toEqual(user(responds("pay", { error: UNANSWERED })));
    expect(told(step(place, { actions: [], given: { output: "***" }, ...times }))).toEqual(
      user(responds("pay", { output: "***" })),
    );
  });

  test("each call of an answer is listed, in order, and the ones that ended are in the record", () => {
    const three = model(1, [call("a"), call("b"), call("c")]);
    const { turns, contents } = derived([three, begun(1, 2), done(1, 1, "b")]);
    expect(contents[1]).toEqual(
      user(responds("a", { error: CANCELLED }), responds("b", { output: "ok" }), responds("c", { error: UNKNOWN })),
    );
    expect(turns[0]).toMatchObject({ calls: [{ callId: "call:1.1", step: "call:1.1" }] });
    expect(turns[0]?.contents[1]).toMatchObject({ calls: [{}, "call:1.1", {}] });
  });
});

describe("what the model had said when its process died", () => {
  const place: StepPlace = { kind: "model", phase: "work", turn: 2, attempt: 0 };
  const draft = { runId: "r", step: stepName(place), place, attempt: 1, parts: [say("It is")] };
  const first = [model(1, [call("look")]), done(1, 0, "look")];

  test("is the run's last words", () => {
    expect(derived(first, { draft })).toMatchObject({ ending: "aborted", draft: { place, parts: [say("It is")] } });
  });

  test.each([
    ["of another run", { runId: "other" }],
    ["of an answer that is recorded", { step: "model:1", place: { ...place, turn: 1 } }],
  ])("does not count when it is %s", (_what, other) => {
    expect(derived(first, { draft: { ...draft, ...other } }).draft).toBeUndefined();
  });

  test("takes the place of the attempt before it", () => {
    const again: StepPlace = { ...place, attempt: 1 };
    const { contents, turns } = derived([...first, model(2, [say("Bad.")])], {
      draft: { ...draft, place: again, step: stepName(again) },
    });
    expect(contents).not.toContainEqual(said(say("Bad.")));
    expect(turns[1]?.steps).toEqual([{ step: "model:2", discarded: "invalid-output" }]);
  });

  test("is an answer that its guardrails have not checked, with a mark that they have to", () => {
    expect(derived([...first, model(2, [say("Secret.")], { guarded: "held" })]).draft).toMatchObject({
      place,
      parts: [say("Secret.")],
      guarded: true,
    });
  });
});

test("an entry of a type that is not known means nothing", () => {
  const view = new SessionView();
  // As a later release may write them.
  const later = { v: 3, at: 1, type: "job", runId: "r" } as unknown as SessionEntry;
  view.add(later);
  expect(view).toMatchObject({ length: 1, run: undefined });
});
