import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openWorld, type World } from "../../support/world.ts";
import type { Errand } from "./errand.ts";
import { errandBrain } from "./errand-brain.ts";
import type { StorePlace, Work } from "./process-messages.ts";

/** The stores that keep sessions in files. */
export const KINDS = ["jsonl", "sqlite"] as const;

/** A folder for stores, and a service for the processes that work on them. */
export interface Places extends AsyncDisposable {
  readonly folder: string;
  readonly world: World;
  /** The place of a store. */
  place(kind: StorePlace["kind"], name: string): StorePlace;
  /** A session in a store, with a file for its effects. */
  work(store: StorePlace, id?: string): Work;
}

/** Creates a folder, which its scope removes, and starts a service that knows an errand. */
export async function openPlaces(errand: Errand): Promise<Places> {
  const folder = await mkdtemp(join(tmpdir(), "pollux-faults-"));
  // Lets a process without rights use it as well.
  await chmod(folder, 0o777);
  const world = await openWorld({ brain: errandBrain(errand), largeSignatures: false });
  return {
    folder,
    world,
    place: (kind, name) => ({ kind, path: join(folder, kind === "jsonl" ? name : `${name}.db`) }),
    work: (store, id = "s") => ({ url: world.url, store, id, effects: `${store.path}-${id}.effects` }),
    [Symbol.asyncDispose]: async () => {
      await world[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}
