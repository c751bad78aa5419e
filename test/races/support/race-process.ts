import { setTimeout as sleep } from "node:timers/promises";
import { EffectsFile } from "../../faults/support/effects.ts";
import { obey } from "../../faults/support/rivals/asked-process.ts";
import type { SharedStore } from "../../faults/support/rivals/rival-messages.ts";
import { openShared } from "../../faults/support/rivals/shared-store.ts";
import { type News, Racer } from "./racer.ts";
import type { Step } from "./round.ts";

// A process of a round. Started by `process-round.ts`.

/** A request to it: a step of a round with the necessary facts of the round, or to wait for its tools. */
export type RoundRequest = ({ readonly do: "step" } & StepRequest) | { readonly do: "settle"; readonly id: string };

interface StepRequest {
  readonly id: string;
  readonly step: Step;
  readonly object: number;
  readonly leaseMs: number;
  readonly seed: number;
  readonly name: string;
  /** File of the effects. */
  readonly effects: string;
}

/** The messages between it and its parent. */
export interface RoundProtocol {
  readonly request: RoundRequest;
  readonly notice: { readonly id: string; readonly news: News };
}

const { store } = openShared(JSON.parse(process.argv[2] ?? "") as SharedStore);
const racers = new Map<string, Racer>();

const tell = obey<RoundProtocol>(async (request) => {
  if (request.do === "settle") {
    await racers.get(request.id)?.settled();
    racers.delete(request.id);
    return;
  }
  const { id, step, object, leaseMs, seed, name, effects } = request;
  const racer =
    racers.get(id) ??
    new Racer({
      store,
      id,
      effects: new EffectsFile(effects),
      leaseMs,
      seed,
      name,
      lives: (ms) => sleep(ms),
      tell: (news) => tell({ id, news }),
    });
  racers.set(id, racer);
  await racer.perform(step, object);
});
