import { type Deferred, deferred } from "../../../../packages/core/test/helpers/deferred.ts";
import { once } from "node:events";
import { startProgram } from "../processes.ts";
import type { ActOrder, ActReport, Preparation, Remains, Rival, SharedStore } from "./rival-messages.ts";

/** What is asked of a rival's process. */
export type RivalRequest =
  | { readonly do: "prepare"; readonly preparation: Preparation }
  | { readonly do: "act"; readonly order: ActOrder }
  | { readonly do: "settle" | "let go"; readonly id: string };

/** What it says: that it is ready, that a run waits to be let go, that a rejection was not heard, or an answer. */
export type RivalAnswer =
  | { readonly ready: true }
  | { readonly held: string }
  | { readonly unheard: string }
  | { readonly number: number; readonly value: unknown }
  | { readonly number: number; readonly failed: string };

/** A rival in a process of its own. */
export interface RemoteRival extends Rival, AsyncDisposable {
  /** Resolves when a run is where it is to wait. */
  held(id: string): Promise<void>;
  letGo(id: string): Promise<void>;
  pause(): void;
  wake(): void;
  /** Ends it as a crash does. What was asked of it is not answered any more. */
  kill(): Promise<void>;
  /** Rejections that nobody handled. */
  readonly unheard: readonly string[];
}

/** Starts one. @param hours - By how much its clock is ahead. */
export async function startRival(store: SharedStore, hours: number = 0): Promise<RemoteRival> {
  const program = new URL("./rival-process.ts", import.meta.url);
  const shift = hours === 0 ? [] : ["--import", new URL(`./shift-clock.ts?hours=${hours}`, import.meta.url).href];
  const child = startProgram(program, shift, [JSON.stringify(store)]);
  const exit = once(child, "exit");
  const asked = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  const held = new Map<string, Deferred<void>>();
  const heldOf = (id: string): Deferred<void> => {
    const found = held.get(id) ?? deferred();
    held.set(id, found);
    return found;
  };
  const unheard: string[] = [];
  const ready = deferred();
  child.on("message", (answer: RivalAnswer) => {
    if ("ready" in answer) ready.resolve();
    else if ("held" in answer) heldOf(answer.held).resolve();
    else if ("unheard" in answer) unheard.push(answer.unheard);
    else {
      const waiting = asked.get(answer.number);
      asked.delete(answer.number);
      if ("failed" in answer) waiting?.reject(new Error(answer.failed));
      else waiting?.resolve(answer.value);
    }
  });
  let count = 0;
  const ask = <Result>(request: RivalRequest): Promise<Result> =>
    new Promise((resolve, reject) => {
      const number = ++count;
      // What is answered is said by what is asked.
      asked.set(number, { resolve: (value) => resolve(value as Result), reject });
      child.send({ number, ...request });
    });
  await Promise.race([
    ready.promise,
    exit.then(() => {
      throw new Error("the rival ended before it was ready");
    }),
  ]);
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exit;
  };
  return {
    prepare: (preparation) => ask({ do: "prepare", preparation }),
    act: (order) => ask<ActReport>({ do: "act", order }),
    settle: (id) => ask<Remains>({ do: "settle", id }),
    held: (id) => heldOf(id).promise,
    letGo: (id) => ask({ do: "let go", id }),
    pause: () => void child.kill("SIGSTOP"),
    wake: () => void child.kill("SIGCONT"),
    kill,
    unheard,
    [Symbol.asyncDispose]: kill,
  };
}
