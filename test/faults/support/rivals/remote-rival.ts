import { type Deferred, deferred } from "../../../../packages/core/test/helpers/deferred.ts";
import { type AskedProcess, startAsked } from "./asked-process.ts";
import type { ActOrder, ActReport, Preparation, Remains, Rival, SharedStore } from "./rival-messages.ts";

/** What is asked of a rival's process. */
type RivalRequest =
  | { readonly do: "prepare"; readonly preparation: Preparation }
  | { readonly do: "act"; readonly order: ActOrder }
  | { readonly do: "settle" | "let go"; readonly id: string };

/** What passes between it and the process that started it. */
export interface RivalProtocol {
  readonly request: RivalRequest;
  /** A run waits to be let go. */
  readonly notice: { readonly held: string };
}

/** A rival in a process of its own. */
export interface RemoteRival extends Rival, Omit<AskedProcess<RivalRequest>, "ask" | "exit"> {
  /** Resolves when a run is where it is to wait. */
  held(id: string): Promise<void>;
  letGo(id: string): Promise<void>;
}

/** Starts one. @param hours - By how much its clock is ahead. */
export async function startRival(store: SharedStore, hours: number = 0): Promise<RemoteRival> {
  const shift = hours === 0 ? [] : ["--import", new URL(`./shift-clock.ts?hours=${hours}`, import.meta.url).href];
  const held = new Map<string, Deferred<void>>();
  const heldOf = (id: string): Deferred<void> => {
    const found = held.get(id) ?? deferred();
    held.set(id, found);
    return found;
  };
  const { ask, ...process } = await startAsked<RivalProtocol>(
    new URL("./rival-process.ts", import.meta.url),
    shift,
    [JSON.stringify(store)],
    (notice) => heldOf(notice.held).resolve(),
  );
  return {
    ...process,
    prepare: (preparation) => ask({ do: "prepare", preparation }),
    act: (order) => ask<ActReport>({ do: "act", order }),
    settle: (id) => ask<Remains>({ do: "settle", id }),
    held: (id) => heldOf(id).promise,
    letGo: (id) => ask({ do: "let go", id }),
  };
}
