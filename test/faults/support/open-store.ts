import { Agent, type Session, type SessionStore } from "@pollux/core";
import type { SessionDamagedError, SessionStoreError } from "@pollux/core/errors";
import { JsonlStore, SqliteStore } from "@pollux/core/node";
import { storeLike } from "../../../packages/core/test/helpers/processes.ts";
import type { World } from "../../support/world.ts";
import { type Effects, EffectsList } from "./effects.ts";
import { errandTools } from "./errand.ts";
import type { StorePlace } from "./process-messages.ts";

/** A store that counts acknowledged entries, and reports each append. */
export function counting(
  store: SessionStore,
  afterAppend: (length: number) => Promise<void> = async () => {},
): { readonly told: SessionStore; readonly acknowledged: () => number } {
  let length = 0;
  const told = storeLike(store, {
    append: async (id, expected, entries, options) => {
      await store.append(id, expected, entries, options);
      length = expected + entries.length;
      await afterAppend(length);
    },
  });
  return { told, acknowledged: () => length };
}

/** Opens a store that its scope closes. */
export function openStore({ kind, path }: StorePlace): { readonly store: SessionStore } & AsyncDisposable {
  if (kind === "jsonl") return { store: new JsonlStore(path), [Symbol.asyncDispose]: async () => {} };
  const store = new SqliteStore(path);
  return { store, [Symbol.asyncDispose]: async () => store.close() };
}

/**
 * The session `s` of a store, in this process. If files were copied while it ran, the lease in the copy also belongs to this live
 * process, so it has to expire.
 */
export function sessionIn(store: SessionStore, world: World, effects: Effects = new EffectsList()): Session {
  return new Agent({ model: world.model(), tools: errandTools(effects, 1) }).session({ id: "s", store, leaseMs: 100 });
}

/** Checks that an error has this kind and says what to do. */
export function problemsOfError(
  error: unknown,
  kind: typeof SessionStoreError | typeof SessionDamagedError,
  advice: RegExp,
): readonly string[] {
  if (!(error instanceof kind)) return [`untyped: ${String(error)}`];
  return advice.test(error.message) ? [] : [`untyped: does not say what to do: ${error.message}`];
}
