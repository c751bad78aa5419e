import type { SessionStore } from "@pollux/core";
import { JsonlStore, SqliteStore } from "@pollux/core/node";
import { PostgresStore } from "../../../../packages/postgres/src/index.ts";
import type { SharedStore } from "./rival-messages.ts";

/** Opens a shared store. */
export function openShared(place: SharedStore): { readonly store: SessionStore } & AsyncDisposable {
  switch (place.kind) {
    case "jsonl":
      return { store: new JsonlStore(place.path), [Symbol.asyncDispose]: async () => {} };
    case "sqlite": {
      const store = new SqliteStore(place.path);
      return { store, [Symbol.asyncDispose]: async () => store.close() };
    }
    case "postgres": {
      const store = new PostgresStore(place.url, { schema: place.schema });
      return { store, [Symbol.asyncDispose]: () => store.close() };
    }
  }
}
