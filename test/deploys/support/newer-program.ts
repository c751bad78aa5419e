import type { Json, JsonObject, SessionStore } from "@pollux/core";
import { storeLike } from "../../../packages/core/test/helpers/processes.ts";

/** A member that this release does not know. */
const LATER = { later: { since: "the next release" } } as const;

/**
 * The store as a program of the next release writes to it: with unknown entries, and with unknown members in entries, records and the
 * lease. Their version is the same, since older programs can ignore them safely.
 */
export function newerProgram(store: SessionStore): SessionStore {
  let surveys = 0;
  return storeLike(store, {
    append: async (id, length, entries, options) => {
      await store.append(id, length, entries.map(withLater), options);
      if (entries.length === 0) return;
      const { v, at } = entries[0] as { readonly v: number; readonly at: number };
      const survey = { v, at, type: "survey", surveyId: `survey-${++surveys}`, stars: 5 };
      await store.append(id, length + entries.length, [survey]);
    },
    setLease: async (id, expected, next) => await store.setLease(id, expected, { ...next, ...LATER }),
    setDraft: async (id, token, draft) => await store.setDraft(id, token, draft && { ...draft, ...LATER }),
  });
}

/** An entry as the next release writes it. */
function withLater(entry: Json): Json {
  const { outcome, open, ...rest } = entry as JsonObject;
  return {
    ...rest,
    ...LATER,
    ...(isObject(outcome) && { outcome: { ...outcome, ...LATER, ...withLaterValue(outcome["value"]) } }),
    ...(Array.isArray(open) && { open: open.map((turn) => (isObject(turn) ? { ...turn, ...LATER } : turn)) }),
  };
}

function withLaterValue(value: unknown): object {
  return isObject(value) ? { value: { ...value, ...LATER } } : value === undefined ? {} : { value };
}

/** The parts of a log that only the next release knows: entries, and entries with such members. */
export function knownLater(entries: readonly Json[]): { readonly surveys: readonly Json[]; readonly later: number } {
  const surveys = entries.filter((entry) => (entry as { readonly type?: unknown }).type === "survey");
  return {
    surveys,
    later: entries.filter((entry) => JSON.stringify(entry).includes(JSON.stringify(LATER.later))).length,
  };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
