import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type DebianPostgres,
  HAS_POSTGRES,
  startDebian,
} from "../../../../packages/postgres/test/support/debian-postgres.ts";
import type { SharedStore } from "./rival-messages.ts";

/** The stores that processes share; Postgres if Debian's package is installed. */
export const SHARED_KINDS: readonly SharedStore["kind"][] = [
  "sqlite",
  "jsonl",
  ...(HAS_POSTGRES ? ["postgres" as const] : []),
];

/** The places of shared stores. */
export interface SharedPlaces extends AsyncDisposable {
  place(kind: SharedStore["kind"], name: string): Promise<SharedStore>;
}

/** Creates places for stores in memory, where syncs cost nothing, since no machine crashes here. Postgres starts on demand. */
export async function openSharedPlaces(): Promise<SharedPlaces> {
  const folder = await mkdtemp(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "pollux-rivals-"));
  let server: Promise<DebianPostgres> | undefined;
  return {
    place: async (kind, name) => {
      if (kind !== "postgres") return { kind, path: join(folder, kind === "jsonl" ? name : `${name}.db`) };
      const { url } = await (server ??= startDebian());
      return { kind, url: `${url}?options=-c%20synchronous_commit%3Doff`, schema: name };
    },
    [Symbol.asyncDispose]: async () => {
      await (await server)?.close();
      await rm(folder, { recursive: true });
    },
  };
}
