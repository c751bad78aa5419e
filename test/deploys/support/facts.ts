import type { Content } from "@pollux/core";
import { buildConversation } from "@pollux/core/conversation";
import { checkSession, repairSession, sessionHistory } from "@pollux/core/doctor";
import type { Json, SessionEntry, SessionStore } from "@pollux/core";
import { inspectorHandler } from "@pollux/inspector";
import type { Death, Done } from "./deaths.ts";
import { MESSAGE } from "./trip-agent.ts";

/** The work in a history. */
interface Told {
  readonly said: readonly string[];
  readonly calls: readonly string[];
  readonly texts: readonly string[];
}

/** The expected history of a run. */
function expectedOf({ calls, texts = [], steering = [] }: Done): Told {
  return { said: [MESSAGE, ...steering], calls, texts };
}

/** The problems in the history of a run. The model's text at the cut may be in it. */
export function problemsOfHistory(who: string, contents: readonly Content[], { done, draft }: Death): string[] {
  const { texts, ...told } = readContents(contents);
  return differences(who, { ...told, texts: texts.filter((text) => text !== draft) }, expectedOf(done));
}

/** Compares member by member: one line per difference. */
export function differences(who: string, actual: object, expected: object): string[] {
  return Object.entries(expected).flatMap(([name, value]) => {
    const found = JSON.stringify(Object.entries(actual).find(([key]) => key === name)?.[1]);
    return found === JSON.stringify(value) ? [] : [`${who}: ${name} ${found}, not ${JSON.stringify(value)}`];
  });
}

/** The contents in wire format, in countable form. */
export function readContents(contents: readonly Content[]): Told {
  const calls: string[] = [];
  const open: number[] = [];
  const said: string[] = [];
  const texts: string[] = [];
  for (const { role, parts } of contents) {
    for (const { text, functionCall, functionResponse } of parts) {
      if (functionCall !== undefined) open.push(calls.push(nameOf(functionCall.name, functionCall.args)) - 1);
      if (functionResponse !== undefined) {
        const index = open.shift() ?? -1;
        calls[index] = `${calls[index] ?? "no call"}: ${outcomeOf(functionResponse.response)}`;
      }
      if (text !== undefined) (role === "model" ? texts : said).push(text);
    }
  }
  return { said, calls, texts };
}

function nameOf(name: string, args: unknown): string {
  return `${name} ${String((args as { readonly n?: unknown } | undefined)?.n)}`;
}

/** The response to a call that the model reads. */
function outcomeOf(response: Readonly<Record<string, unknown>>): string {
  const { output, error } = response;
  if (typeof output === "string") return output;
  const text = typeof error === "string" ? error : JSON.stringify(response);
  const known: Readonly<Record<string, RegExp>> = {
    denied: /denied/,
    left: /^the job was started/,
    unknown: /^interrupted|unknown whether/,
    withdrawn: /withdrew/,
    cancelled: /^cancelled/,
    "not run": /^not run/,
  };
  return Object.entries(known).find(([, pattern]) => pattern.test(text))?.[0] ?? text;
}

/** Calls whose tool must have run. */
export function executed({ calls }: Done): readonly string[] {
  return calls.filter((call) => !/: (?:cancelled|not run)$/.test(call));
}

/** The problems that readers without an agent show: the lists, the doctor, the conversation, the inspector. */
export async function problemsWithoutAgent(store: SessionStore, death: Death): Promise<string[]> {
  const { name: id, done, lastRun } = death;
  const values = await store.load(id);
  const lines = values.map((value) => ({ value }));
  // A session wrote them.
  const entries = values as unknown as readonly SessionEntry[];
  const [summary] = await store.list({ prefix: id });
  const isOpen = lastRun === "cut-off";
  const repaired = repairSession(lines);
  return [
    ...differences("the list", summary ?? {}, {
      messages: 1,
      state: isOpen
        ? "running"
        : ({ finished: "idle", guardrail: "idle" }[lastRun] ?? (lastRun.startsWith("needs") ? "waiting" : "stopped")),
      cost: costOf(death),
      ...(!isOpen && { turns: done.turns, totalTokens: tokensOf(death) }),
    }),
    ...differences("the doctor", { problems: checkSession(lines).problems }, { problems: [] }),
    ...differences("the repair", { entries: repaired.entries, done: repaired.done }, { entries, done: [] }),
    ...problemsOfHistory("the doctor's history", sessionHistory(entries), death),
    ...(await problemsOfConversation(id, entries, store, death)),
    ...(await problemsOfInspector(store, death)),
  ];
}

async function problemsOfConversation(
  id: string,
  entries: readonly SessionEntry[],
  store: SessionStore,
  { done, draft }: Death,
): Promise<string[]> {
  const records = await store.records(id);
  const { messages } = buildConversation(id, entries, { draft: records.draft });
  const parts = messages.flatMap((message) => message.parts);
  const calls = parts.flatMap((part) => (part.type === "tool-call" ? [part] : []));
  const told = calls.map(
    ({ name, args, state, output }) => `${nameOf(name, args)}: ${state === "done" ? outcomeOf({ output }) : state}`,
  );
  const texts = parts.flatMap((part) => (part.type === "text" && part.text !== MESSAGE ? [part.text] : []));
  return [
    ...differences("the conversation", { calls: told.map(asTold) }, { calls: done.calls.map(asShown) }),
    ...differences(
      "the conversation",
      { texts },
      { texts: [...(done.texts ?? []), ...(draft === undefined ? [] : [draft])] },
    ),
  ];
}

/** The state of a call in a conversation. */
function asTold(call: string): string {
  return call.replace(/: (called|running|cancelled|not-run|pending-\w+|failed)$/, ": not done");
}
function asShown(call: string): string {
  return call.replace(/: (?:unknown|left|cancelled|not run)$/, ": not done");
}

async function problemsOfInspector(store: SessionStore, death: Death): Promise<string[]> {
  const handler = inspectorHandler({ store, authorize: () => true });
  const url = `http://localhost/inspector/api/sessions/${encodeURIComponent(death.name)}`;
  const response = await handler(new Request(url));
  // The format that the page reads.
  const { runs, problems } = (await response.json()) as Overview;
  const [run] = runs ?? [];
  return differences(
    "the inspector",
    {
      problems,
      runs: runs?.length,
      turns: run?.turns.filter(({ finishReason }) => finishReason !== undefined).length,
      toolCalls: run?.toolCalls,
      tokens: run?.usage.totalTokens,
      cost: run?.cost,
    },
    {
      problems: [],
      runs: 1,
      turns: answersOf(death),
      toolCalls: death.done.calls.length,
      tokens: tokensOf(death),
      cost: costOf(death),
    },
  );
}

interface Overview {
  readonly runs?: readonly {
    readonly turns: readonly { readonly finishReason?: string }[];
    readonly toolCalls: number;
    readonly usage: { readonly totalTokens: number };
    readonly cost?: number;
  }[];
  readonly problems?: readonly Json[];
}

/** Tokens of a scripted answer. */
const TOKENS = 15;

/** Stored answers: a failed turn has none. */
export function answersOf({ done: { turns }, lastRun }: Death): number {
  return lastRun === "failed" ? turns - 1 : turns;
}

export function tokensOf(death: Death): number {
  return TOKENS * answersOf(death);
}

/** At a price of 1000 per million tokens of any kind. */
export function costOf(death: Death): number {
  return tokensOf(death) / 1000;
}
