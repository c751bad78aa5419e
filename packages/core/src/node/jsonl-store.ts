import { readdir } from "node:fs/promises";
import { SessionConflictError } from "../errors/session-errors.ts";
import type { Json } from "../internal/json.ts";
import type { ListOptions, SessionStore, SessionSummary } from "../session/store.ts";
import { JsonlFile, readSessionId } from "./jsonl-file.ts";
import { JsonlLane } from "./jsonl-lane.ts";
import { linesOf } from "./jsonl-lines.ts";
import { isShortened, sessionIdOf } from "./session-file-name.ts";
import { storeError } from "./store-problems.ts";

/** Options of {@link JsonlStore}. */
export interface JsonlStoreOptions {
  /** How long to wait for another process that writes to the same session, in milliseconds. @defaultValue 10_000 */
  readonly lockTimeoutMs?: number | undefined;
}

/** How many sessions are remembered; of others the file is read anew. */
const MAX_LANES = 1000;

const ENDING = ".jsonl";

/**
 * Sessions as files of a folder, one `.jsonl` for each and one entry in each line, to be read with any pager. Any number of
 * processes may work on the folder at once; a file beside the log (`.lock`) says who is writing.
 *
 * An append costs one write and one sync, however long the log is; asking again for what is new costs one look at the file's
 * size. A line that was cut off by a crash was never acknowledged: it is not read, and the next append removes it.
 *
 * @example
 * const session = agent.session({ id: "order-17", store: new JsonlStore("sessions") });
 */
export class JsonlStore implements SessionStore {
  readonly #folder: string;
  readonly #waitMs: number;
  readonly #lanes: Map<string, JsonlLane> = new Map();

  /** @param folder - Created with the first append. */
  constructor(folder: string, options: JsonlStoreOptions = {}) {
    this.#folder = folder;
    this.#waitMs = options.lockTimeoutMs ?? 10_000;
  }

  /** @throws {SessionDamagedError} For a line that is no JSON, with its file and number. */
  async load(id: string, from = 0): Promise<readonly Json[]> {
    try {
      return await this.#lane(id).load(from);
    } catch (error) {
      throw storeError(id, "its log cannot be read", error);
    }
  }

  async append(id: string, expectedLength: number, entries: readonly Json[]): Promise<void> {
    // As they are now, whatever becomes of them while the append waits.
    const lines = entries.length === 0 ? "" : linesOf(entries);
    try {
      await this.#lane(id).append({ expectedLength, lines });
    } catch (error) {
      if (error instanceof SessionConflictError) throw error;
      throw storeError(id, "its log cannot be written", error);
    }
  }

  async list({ prefix = "", after = "", limit = 100 }: ListOptions = {}): Promise<readonly SessionSummary[]> {
    const found: SessionSummary[] = [];
    try {
      const ids = (await this.#ids()).filter((id) => id.startsWith(prefix) && (after === "" || id > after));
      // By code unit.
      ids.sort((a, b) => (a < b ? -1 : 1));
      for (const id of ids) {
        if (found.length >= limit) break;
        const summary = await this.#lane(id).summary();
        if (summary !== undefined) found.push({ id, ...summary });
      }
    } catch (error) {
      throw storeError(`${prefix}*`, "sessions cannot be listed", error);
    }
    return found;
  }

  async delete(id: string): Promise<void> {
    try {
      await this.#lane(id).remove();
    } catch (error) {
      throw storeError(id, "its log cannot be removed", error);
    }
  }

  async #ids(): Promise<string[]> {
    const ids: string[] = [];
    for (const file of await filesOf(this.#folder)) {
      if (!file.endsWith(ENDING)) continue;
      const name = file.slice(0, -ENDING.length);
      const id = isShortened(name) ? await readSessionId(this.#folder, name) : sessionIdOf(name);
      if (id !== undefined) ids.push(id);
    }
    return ids;
  }

  #lane(id: string): JsonlLane {
    const lane = this.#lanes.get(id) ?? new JsonlLane(new JsonlFile(this.#folder, id, { waitMs: this.#waitMs }));
    // The one used last stands last.
    this.#lanes.delete(id);
    this.#lanes.set(id, lane);
    if (this.#lanes.size > MAX_LANES) this.#forgetOne();
    return lane;
  }

  #forgetOne(): void {
    for (const [id, lane] of this.#lanes) {
      if (!lane.idle) continue;
      this.#lanes.delete(id);
      return;
    }
  }
}

async function filesOf(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
