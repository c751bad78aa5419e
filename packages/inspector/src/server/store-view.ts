import type { Json, SessionStore } from "@pollux/core";
import type { LogLine } from "@pollux/core/doctor";
import { SessionDamagedError } from "@pollux/core/errors";
import { entryOf } from "../inspection/session-fold.ts";

/**
 * A store as the inspector sees it: with damaged logs, or with one session of several. Writes go to the store.
 *
 * @param lines - Reads the log of a session that the store can't read.
 * @param only - Shows only this session, and sessions created through this view whose ids start with its id.
 */
export function viewStore(
  store: SessionStore,
  lines: (id: string) => Promise<readonly LogLine[] | undefined>,
  only?: string,
): SessionStore {
  const begun = new Set<string>();
  const isHidden = (id: string): boolean => only !== undefined && id !== only && !begun.has(id);
  const seen: Pick<SessionStore, "load" | "list" | "records" | "append"> = {
    load: async (id, from = 0): Promise<readonly Json[]> => {
      if (isHidden(id)) return [];
      try {
        return await store.load(id, from);
      } catch (error) {
        const read = error instanceof SessionDamagedError ? await lines(id) : undefined;
        if (read === undefined) throw error;
        return read.slice(from).map(entryOf);
      }
    },
    list: async (options = {}) => {
      if (only === undefined) return await store.list(options);
      const found = await store.list({ ...options, prefix: only, limit: Infinity });
      return found.filter(({ id }) => !isHidden(id)).slice(0, options.limit);
    },
    records: async (id) => (isHidden(id) ? {} : await store.records(id)),
    append: async (id, expectedLength, entries, options) => {
      await store.append(id, expectedLength, entries, options);
      if (expectedLength === 0) begun.add(id);
    },
  };
  return new Proxy(store, {
    get: (_, name): unknown => {
      const member: unknown = Reflect.get(seen, name) ?? Reflect.get(store, name);
      return typeof member === "function" ? member.bind(store) : member;
    },
  });
}
