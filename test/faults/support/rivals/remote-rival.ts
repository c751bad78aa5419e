import { type Deferred, deferred } from "../../../../packages/core/test/helpers/deferred.ts";
import { type AskedProcess, startAsked } from "./asked-process.ts";
import type { ActOrder, ActReport, Preparation, Remains, Rival, SharedStore } from "./rival-messages.ts";

/** A request to a rival's process. */
type RivalRequest =
  | { readonly do: "prepare"; readonly preparation: Preparation }
  | { readonly do: "act"; readonly order: ActOrder }
  | { readonly do: "settle" | "let go"; readonly id: string };

/** The messages between it and its parent. */
export interface RivalProtocol {
  readonly request: RivalRequest;
  /** A run waits at its hold point. */
  readonly notice: { readonly held: string };
}

/** A rival in its own process. */
export interface RemoteRival extends Rival, Omit<AskedProcess<RivalRequest>, "ask" | "exit"> {
  /** Resolves when a run is at its hold point. */
  held(id: string): Promise<void>;
  letGo(id: string): Promise<void>;
}

/** Starts one. @param hours - How far its clock is ahead. */
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
