import type { SessionStore } from "../session/store.ts";
import { CONTENT_CHECKS } from "./store-content-checks.ts";
import { WRITER_CHECKS } from "./store-writer-checks.ts";

/** A store to check, empty. */
export interface StoreToCheck {
  readonly store: SessionStore;
  /**
   * The same sessions through another store object, as another process would see them. Leave it out for a store that keeps
   * nothing outside of its object; what it is needed for is then not checked.
   */
  readonly reopen?: (() => Promise<SessionStore>) | undefined;
  /** Called when a check is over, whether it passed or not: close connections and remove files here. */
  readonly close?: (() => Promise<void> | void) | undefined;
}

/** One thing that is checked. */
export interface StoreCheck {
  readonly name: string;
  /** Makes a store, checks it and closes it. @throws {Error} Naming what is not as promised. */
  readonly run: () => Promise<void>;
}

/**
 * The promises of {@link SessionStore} as checks, for any test runner. What they cannot see is whether entries survive a crash.
 *
 * @param makeStore - Called for each check; gives a new, empty store.
 *
 * @example
 * describe.each(storeConformance(async () => ({ store: new MyStore() })))("$name", ({ run }) => {
 *   test("holds", run);
 * });
 */
export function storeConformance(makeStore: () => Promise<StoreToCheck> | StoreToCheck): readonly StoreCheck[] {
  return [...CONTENT_CHECKS, ...WRITER_CHECKS].map(([name, check]) => ({
    name,
    run: async () => {
      const made = await makeStore();
      try {
        await check(made.store, made.reopen ?? (async () => made.store));
      } finally {
        await made.close?.();
      }
    },
  }));
}
