import { writeFileSync } from "node:fs";
import { type Json, MemoryStore, type SessionEntry, type SessionStore } from "@pollux/core";
import { buildConversation } from "@pollux/core/conversation";
import { hangs, type ScriptLine } from "@pollux/core/testing";
import { deferred } from "../../helpers/deferred.ts";
import { Processes, storeLike } from "../../helpers/processes.ts";
import { agentOf, type Kind, KINDS, MESSAGE, OUTPUT, sessionOf } from "./kinds.ts";

// Writes logs with this release, and how it reads them: `node --conditions=pollux-source <this file>`.
// Existing logs are kept: a later release must read them as they are. Delete logs of a format that no release reads any longer.

/** The log of a kind's process, as a file in `fixtures`. */
export interface Golden {
  readonly entries: readonly Json[];
  readonly draft?: Json | undefined;
  /** How the release that wrote the log reads it. */
  readonly history: readonly Json[];
  readonly state: Json;
  readonly messages: Json;
}

export function goldenFile(name: string): URL {
  return new URL(`fixtures/${name.replaceAll(/[^a-z]+/g, "-")}.json`, import.meta.url);
}

/** Runs a kind until it ends or its process dies, and reads its log. */
export async function makeGolden(kind: Kind): Promise<Golden> {
  const store = new MemoryStore();
  const process = new Processes(store).start();
  const dying = deferred();
  const hang = async (): Promise<never> => {
    // Parallel work is over by then.
    setTimeout(dying.resolve, 50);
    return await new Promise<never>(() => {});
  };
  const abort = new AbortController();
  const watchedStore = watched(process.store, () => {
    if (kind.diesAt === "draft") dying.resolve();
    else abort.abort(new Error("enough"));
  });
  const script = kind.script.map((line): ScriptLine => (isSilent(line) ? hang : line));
  const session = sessionOf(agentOf(kind, script, hang), watchedStore);
  const output = kind.output === undefined ? {} : { output: OUTPUT };
  const played =
    kind.play?.(session, abort.signal) ?? session.send(MESSAGE, { ...kind.options, ...output, runId: "run" });
  await (kind.diesAt === undefined ? played : Promise.race([played, dying.promise]));
  process.die();
  return await goldenOf(store);
}

/** A request that never gets an answer: nothing of it is stored. */
function isSilent(line: ScriptLine): boolean {
  return typeof line === "object" && JSON.stringify(line) === JSON.stringify(hangs());
}

function watched(store: SessionStore, onDraft: () => void): SessionStore {
  return storeLike(store, {
    setDraft: async (id, token, draft) => {
      await store.setDraft(id, token, draft);
      if (draft !== undefined) onDraft();
    },
  });
}

async function goldenOf(store: SessionStore): Promise<Golden> {
  const { draft } = await store.records("golden");
  const left = JSON.stringify({ entries: await store.load("golden"), ...(draft !== undefined && { draft }) });
  const { entries, draft: kept } = JSON.parse(withRoundTimes(left)) as Pick<Golden, "entries" | "draft">;
  return { entries, ...(kept !== undefined && { draft: kept }), ...(await readGolden({ entries, draft: kept })) };
}

/** How this release reads a log. */
export async function readGolden({
  entries,
  draft,
}: Pick<Golden, "entries" | "draft">): Promise<Pick<Golden, "history" | "state" | "messages">> {
  const store = new MemoryStore();
  await store.append("golden", 0, entries);
  const session = sessionOf(
    agentOf({ script: [] }, [], () => new Promise(() => {})),
    store,
  );
  const read = entries as unknown as readonly SessionEntry[];
  const { messages } = buildConversation("golden", read, draft === undefined ? {} : { draft: draft as never });
  return JSON.parse(
    JSON.stringify({ history: await session.history(), state: await session.state(), messages }),
  ) as Golden;
}

/** Replaces times and durations with ones that do not depend on when the log is written. */
function withRoundTimes(json: string): string {
  const times = [...new Set(json.match(/\b1[789]\d{11}\b/g))].toSorted();
  return json
    .replaceAll(/\b1[789]\d{11}\b/g, (time) => String(1_795_000_000_000 + 1000 * times.indexOf(time)))
    .replaceAll(/"durationMs":\d+/g, '"durationMs":5');
}

/** One entry a line. */
function format({ entries, ...rest }: Golden): string {
  const lines = entries.map((entry) => JSON.stringify(entry)).join(",\n");
  const members = Object.entries(rest).map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`);
  return `{\n"entries": [\n${lines}\n],\n${members.join(",\n")}\n}\n`;
}

if (import.meta.main) {
  for (const [name, kind] of Object.entries(KINDS)) {
    try {
      writeFileSync(goldenFile(name), format(await makeGolden(kind)), { flag: "wx" });
      console.log(`wrote ${name}`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
  process.exit();
}
