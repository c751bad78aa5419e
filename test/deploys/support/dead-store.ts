import { once } from "node:events";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryStore, type SessionStore } from "@pollux/core";
import { JsonlStore, SqliteStore } from "@pollux/core/node";
import { storeLike } from "../../../packages/core/test/helpers/processes.ts";
import { startProgram } from "../../faults/support/processes.ts";
import type { Death } from "./deaths.ts";

/** The stores that keep sessions in files. */
export type StoreKind = "jsonl" | "sqlite";

/** A store that its scope closes. */
export type OpenStore = SessionStore & { close?(): void };

/** Opens the store in a folder. */
export function openStore(kind: StoreKind, folder: string): OpenStore {
  return kind === "jsonl" ? new JsonlStore(folder) : new SqliteStore(join(folder, "sessions.db"));
}

/** The store that a killed process left. */
export interface DeadStore extends AsyncDisposable {
  /** Works on a copy of its files. */
  withFiles<Result>(use: (store: SessionStore) => Promise<Result>): Promise<Result>;
  /** Works on a copy of one of its sessions in memory, including lease and draft. */
  withSession<Result>(id: string, use: (store: SessionStore) => Promise<Result>): Promise<Result>;
}

/** Lets a process bring each run to its point in one store, and kills it there. */
export async function letDie(kind: StoreKind, deaths: readonly Death[]): Promise<DeadStore> {
  const folder = await mkdtemp(join(tmpdir(), "pollux-deploys-"));
  const left = join(folder, "left");
  await mkdir(left);
  const names = deaths.map(({ name }) => name);
  const child = startProgram(new URL("./dying-process.ts", import.meta.url), [], [kind, left, ...names]);
  const exit = once(child, "exit");
  await Promise.race([
    once(child, "message"),
    exit.then(() => Promise.reject(new Error("the process ended before all runs were at their points"))),
  ]);
  child.kill("SIGKILL");
  await exit;
  let copies = 0;
  const withFiles: DeadStore["withFiles"] = async (use) => {
    const copy = join(folder, `copy-${copies++}`);
    await cp(left, copy, { recursive: true });
    const store = openStore(kind, copy);
    try {
      return await use(store);
    } finally {
      store.close?.();
      await rm(copy, { recursive: true });
    }
  };
  const sessions = await withFiles((store) => Promise.all(names.map((id) => readSession(store, id))));
  return {
    withFiles,
    withSession: async (id, use) => await use(await copySession(sessions.find((one) => one.id === id))),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

type StoredSession = Awaited<ReturnType<typeof readSession>>;

async function readSession(store: SessionStore, id: string) {
  const [entries, records, summaries] = [await store.load(id), await store.records(id), await store.list()];
  return { id, entries, records, info: summaries.find((one) => one.id === id), processes: store.processes };
}

async function copySession(session: StoredSession | undefined): Promise<SessionStore> {
  if (session?.info === undefined) throw new Error("the process has not left such a session");
  const { id, entries, records, info, processes } = session;
  const store = new MemoryStore();
  // The summary of a written session has its info.
  await store.append(id, 0, entries, { info: info as never });
  const { lease, draft } = records;
  if (lease !== undefined) await store.setLease(id, undefined, lease);
  if (lease !== undefined && draft !== undefined) await store.setDraft(id, lease.token, draft);
  return storeLike(store, { ...(processes !== undefined && { processes }) });
}
