import { type CallRoute, stepName, type StepPlace } from "../durable/run-log.ts";
import { isObject } from "../internal/json.ts";
import { namesIn } from "../internal/option-names.ts";
import { NO_USAGE } from "../model/usage.ts";
import { type EndEntry, isKnownType, type SessionEntry, type StepKey } from "../session/log/entries.ts";

/** What is wrong with a stored value, after its path; `undefined` when nothing is. */
type Check = (value: unknown, at: string) => string | undefined;

/** What is wrong with the members of an entry whose header was checked; `undefined` when nothing is. */
export function checkEntry(entry: { readonly [key: string]: unknown }): string | undefined {
  const type = String(entry["type"]);
  const problem = object({ at: number })(entry, "");
  if (problem !== undefined) return problem;
  if (isKnownType(type)) return ENTRIES[type](entry, "");
  // A newer program may have entries of other types.
  return MISTYPED.some((other) => ENTRIES[other](entry, "") === undefined) ||
    (Object.keys(entry).length === BEGIN_MEMBERS && ENTRIES.begin(entry, "") === undefined)
    ? `type "${type}" is unknown, but it has the members of a known one`
    : undefined;
}

/** Types whose entries are recognizable by their members. */
const MISTYPED = ["history", "run", "step", "answer", "turn", "end"] as const;

/** Number of members of a `begin`; entries of other types may have the same ones and more. */
const BEGIN_MEMBERS = 6;

/** True for a call that the service could not parse. A response with one is not used, so it is not in the history. */
export function isNameless(part: unknown): boolean {
  return isObject(part) && isObject(part["functionCall"]) && (part["functionCall"]["name"] ?? "") === "";
}

const string: Check = is("a string", (value) => typeof value === "string");
const text: Check = is("a non-empty string", (value) => typeof value === "string" && value !== "");
const number: Check = is("a number", (value) => Number.isFinite(value));
const count: Check = is("a whole number", (value) => Number.isSafeInteger(value) && Number(value) >= 0);
const members: Check = is("an object", isObject);
const usage: Check = is(
  "a usage record",
  (value) => isObject(value) && Object.entries(NO_USAGE).every(([key, none]) => typeof value[key] === typeof none),
);

const PLACES: { readonly [Kind in StepPlace["kind"]]: Check } = {
  model: object({ phase: oneOf("work", "output"), attempt: count }),
  call: object({ callId: text, attempt: count }),
  wait: object({ callId: text, question: oneOf("approval", "outcome", "unknown-outcome", "job"), time: count }),
  hook: object({ callId: text, hook: oneOf("before", "after", "cancel") }),
  route: members,
  reroute: object({ callId: text, time: count }),
  compact: object({ overflow: optional(count) }),
  guard: object({ side: oneOf("input", "output"), attempt: count, wait: optional(text) }),
  inner: object({ callId: text, name: string }),
};

const times = { startedAt: number, endedAt: number };
const origin: Check = object({ endpoint: string, family: string });
const read: Check = optional(list(object({ tool: string, reads: text, origin: optional(string) })));
const error: Check = object({ name: string, message: string });

const functionCall: Check = object({ name: text, id: optional(string), args: optional(members) });
const functionResponse: Check = object({ name: text, id: optional(string), response: members });
const texts = { text: optional(string), thoughtSignature: optional(string) };
const PARTS: { readonly user: Check; readonly model: Check } = {
  user: object({ ...texts, functionCall: onlyInModel, functionResponse: optional(functionResponse) }),
  // The service answers its own calls in the model's content.
  model: object({ ...texts, functionCall: optional(functionCall), functionResponse: optional(functionResponse) }),
};
const responsePart: Check = (value, at) => PARTS.user(value, at) ?? object({ functionResponse })(value, at);
const contents: Check = list(content);

/** How a run may end. Leaving one out does not compile. */
const STOP_REASONS: { readonly [Reason in EndEntry["stopReason"]]: true } = namesIn(
  "finished stopped limit truncated blocked empty bad-call repeated-calls invalid-output unknown-finish guardrail",
  "needs-approval needs-outcome failed aborted damaged",
);

/** What may be done with a call. Leaving one out does not compile. */
const ROUTES: { readonly [Do in CallRoute["do"]]: true } = namesIn("run ask-approval ask-outcome deny");

const actions: Check = list(object({ name: string, action: text }));
const words: Check = list(string);
const found = { untrusted: words, private: optional(words), found: optional(words) };
const reason: Check = object({ reach: text, rule: text, ...found });
const asked = { approvedBy: optional(text), editable: optional(list(text)), because: optional(reason) };
const pendingCall: Check = object({
  callId: text,
  question: text,
  call: functionCall,
  turn: count,
  token: text,
  ...asked,
  path: optional(list(string)),
});
const flag: Check = is("true", (value) => value === true);
const metadata: Check = is(
  "an object of strings",
  (value) => isObject(value) && Object.values(value).every((one) => typeof one === "string"),
);
const nullish =
  (check: Check): Check =>
  (value, at) =>
    value === null || value === undefined ? undefined : check(value, at);

const turn = {
  turn: count,
  phase: optional(text),
  contents: list(ref),
  steps: list(object({ step: text, at: optional(count), discarded: optional(text), keepFrom: optional(count) })),
  calls: list(callRecord),
};

const ENTRIES: { readonly [Type in SessionEntry["type"]]: Check } = {
  history: object({
    parts: list(object({ origin: optional(origin), contents, read })),
    from: optional(object({ session: text, contents: count })),
  }),
  run: object({
    runId: text,
    loop: count,
    agent: string,
    model: text,
    output: optional(text),
    origin,
    input: contents,
    read,
    metadata: optional(members),
    dropInterrupted: optional(flag),
    guarded: optional(flag),
    withdrawn: optional(list(text)),
  }),
  begin: object({ runId: text, step: text, place }),
  step,
  answer: object({
    runId: text,
    step: text,
    place: (value, at) => place(value, at) ?? object({ kind: oneOf("wait") })(value, at),
    value: is("JSON", (value) => value !== undefined),
    token: text,
    by: optional(text),
  }),
  job: object({
    runId: text,
    callId: text,
    step: text,
    place: (value, at) => place(value, at) ?? object({ kind: oneOf("wait"), question: oneOf("job") })(value, at),
    jobId: optional(text),
    outcome: optional(members),
  }),
  turn: object({ runId: text, ...turn }),
  resume: object({ runId: text }),
  rewind: object({ before: text, withdrawn: optional(list(text)) }),
  steer: object({ contents, read, id: optional(text) }),
  end: object({
    runId: text,
    turns: count,
    toolCalls: count,
    stopReason: known(STOP_REASONS),
    usage,
    cost: optional(number),
    unpriced: optional(string),
    pricesAsOf: optional(string),
    currency: optional(string),
    error: optional(error),
    reached: optional(object({ name: string, limit: number, used: number })),
    guardrail: optional(object({ name: string, side: text, reason: string })),
    pending: optional(list(pendingCall)),
    interrupted: optional(
      object({
        step: text,
        place,
        attempt: count,
        parts: list(PARTS.model),
        truncated: optional(flag),
        checked: optional(actions),
      }),
    ),
    open: list(object(turn)),
    lost: optional(object({ turn: count, usage })),
    problem: optional(string),
  }),
  info: object({
    title: nullish(text),
    owner: nullish(text),
    metadata: nullish(metadata),
  }),
};

const steered: Check = object({ upTo: count, contents, read });
const modelStep: Check = object({
  ...times,
  prepared: optional(object({ model: optional(object({ id: text, origin })), tools: optional(list(string)) })),
  response: object({ finishReason: text, usage, candidate: members, envelope: members, content: modelContent }),
  steered: optional(steered),
  described: read,
  checked: optional(actions),
  cost: optional(number),
});
const stoppedStep: Check = object({ ...times, checked: actions, steered });
const guardStep: Check = object({ ...times, actions, contents: optional(contents) });
const nested: Check = list(object({ usage, responses: list(members), read, cost: optional(number) }));
const callStep: Check = object({
  ...times,
  failure: optional(object({ kind: text, message: string })),
  part: responsePart,
  after: list(PARTS.user),
  handoff: optional(text),
  nested,
  job: optional(object({ jobId: string, since: number, until: optional(number) })),
});
const summaryStep: Check = object({ ...times, summary: string, contents: optional(contents), nested });
const route: Check = object({ do: known(ROUTES), args: optional(members), ...asked, checked: optional(actions) });
const denial: Check = object({ why: string });
const routeStep: Check = list(
  (value, at) => route(value, at) ?? (isObject(value) && value["do"] === "deny" ? denial(value, at) : undefined),
);
const nestedRuns: Check = object({ nested: optional(nested) });

/** True for a step of a kind that this release knows. */
export function isKnownPlace({ kind }: StepPlace): boolean {
  return Object.hasOwn(PLACES, kind);
}

/** The place that the name of a step of an unknown kind belongs to: readers find it by name. A newer program may have kinds with other names. */
export function placeOfName({ step: name, place: damaged }: StepKey): StepPlace | undefined {
  for (const [kind, check] of Object.entries(PLACES)) {
    // It has the members of a place of this kind.
    const corrected = { ...damaged, kind } as StepPlace;
    if (check(damaged, "") === undefined && stepName(corrected) === name) return corrected;
  }
  return undefined;
}

/** A newer program may have steps of other kinds. */
function place(value: unknown, at: string): string | undefined {
  const problem = object({ kind: text, turn: count })(value, at);
  if (problem !== undefined) return problem;
  const { kind } = value as StepPlace;
  return Object.hasOwn(PLACES, kind) ? PLACES[kind](value, at) : undefined;
}

function step(entry: unknown, at: string): string | undefined {
  const problem = object({
    runId: text,
    step: text,
    place,
    outcome: object({ ok: is("a boolean", (value) => typeof value === "boolean") }),
  })(entry, at);
  if (problem !== undefined) return problem;
  // The shape was just checked.
  const {
    place: { kind },
    outcome,
  } = entry as { readonly place: StepPlace; readonly outcome: Record<string, unknown> };
  if (outcome["ok"] === false) return error(outcome["error"], "outcome.error");
  const { value } = outcome;
  const valueAt = "outcome.value";
  const fields = isObject(value) ? value : {};
  const inNested = nestedRuns(fields, valueAt);
  if (inNested !== undefined) return inNested;
  if (kind === "model" && fields["tooLong"] === true) return undefined;
  if (kind === "model" && fields["stopped"] === true) return stoppedStep(value, valueAt);
  if (kind === "guard")
    return guardStep(value, valueAt) ?? ("response" in fields ? modelStep(value, valueAt) : undefined);
  // Readers use the members as well as the place.
  if (kind === "model" || "response" in fields) return modelStep(value, valueAt);
  if (kind === "call" || "part" in fields) return callStep(value, valueAt);
  if (kind === "compact") return summaryStep(value, valueAt);
  return kind === "route" || kind === "reroute" ? routeStep(value, valueAt) : undefined;
}

function content(value: unknown, at: string): string | undefined {
  if (!isObject(value)) return members(value, at);
  const { role, parts } = value;
  if (role !== "user" && role !== "model") return `${at}.role is neither "user" nor "model"`;
  return list(PARTS[role])(parts, `${at}.parts`);
}

function modelContent(value: unknown, at: string): string | undefined {
  if (!isObject(value) || !Array.isArray(value["parts"])) return content(value, at);
  const readable = { ...value, parts: value["parts"].filter((part) => !isNameless(part)) };
  return content(readable, at) ?? (value["role"] === "model" ? undefined : `${at} is not a model content`);
}

function ref(value: unknown, at: string): string | undefined {
  if (!isObject(value)) return members(value, at);
  const isStep = "model" in value || "steered" in value || "calls" in value || "after" in value;
  if ("role" in value) return isStep ? `${at} is both a content and a reference to a step` : content(value, at);
  if (Object.keys(value).length > 1) return `${at} is neither a content nor a reference to a step`;
  if ("model" in value) return text(value["model"], `${at}.model`);
  if ("steered" in value) return text(value["steered"], `${at}.steered`);
  if ("after" in value) return list(text)(value["after"], `${at}.after`);
  return list((one, where) => (typeof one === "string" ? text : PARTS.user)(one, where))(value["calls"], `${at}.calls`);
}

function callRecord(value: unknown, at: string): string | undefined {
  const isStep = isObject(value) && "step" in value;
  return object({
    callId: text,
    args: optional(members),
    endsRun: optional(flag),
    ...(isStep ? { step: text } : { value: callStep }),
  })(value, at);
}

function object(fields: Readonly<Record<string, Check>>): Check {
  return (value, at) => {
    if (!isObject(value)) return members(value, at);
    for (const [key, check] of Object.entries(fields)) {
      const problem = check(value[key], at === "" ? key : `${at}.${key}`);
      if (problem !== undefined) return problem;
    }
    return undefined;
  };
}

function list(check: Check): Check {
  return (value, at) => {
    if (!Array.isArray(value)) return `${at} is not an array`;
    for (const [index, item] of value.entries()) {
      const problem = check(item, `${at}[${index}]`);
      if (problem !== undefined) return problem;
    }
    return undefined;
  };
}

function optional(check: Check): Check {
  return (value, at) => (value === undefined ? undefined : check(value, at));
}

function onlyInModel(value: unknown, at: string): string | undefined {
  return value === undefined ? undefined : `${at} is allowed only in model contents`;
}

function oneOf(...names: readonly string[]): Check {
  return is(names.join(" or "), (value) => names.some((name) => name === value));
}

function known(names: Readonly<Record<string, true>>): Check {
  return (value, at) => (typeof value === "string" && Object.hasOwn(names, value) ? undefined : `${at} is unknown`);
}

function is(what: string, test: (value: unknown) => boolean): Check {
  return (value, at) => (test(value) ? undefined : `${at} is not ${what}`);
}
