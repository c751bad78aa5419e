import { useRef, useState } from "preact/hooks";
import type { Json } from "@pollux/core";
import type { ActionResult } from "../../../src/inspection/results.ts";
import { useInspector } from "../app/inspector.ts";
import { useSession } from "../session/session-model.ts";

/** A task that a person started, and its result. */
export interface Task<T> {
  readonly isBusy: boolean;
  readonly value?: T | undefined;
  readonly error?: Error | undefined;
  /** Starts new work and drops an earlier result. */
  readonly start: (work: () => Promise<T>) => void;
}

/** One task at a time: results of earlier starts are dropped. */
export function useTask<T>(): Task<T> {
  const [state, setState] = useState<Omit<Task<T>, "start">>({ isBusy: false });
  const last = useRef(0);
  const start = (work: () => Promise<T>): void => {
    const number = ++last.current;
    setState({ isBusy: true });
    work().then(
      (value) => number === last.current && setState({ isBusy: false, value }),
      (error: unknown) =>
        number === last.current &&
        setState({ isBusy: false, error: error instanceof Error ? error : new Error(String(error)) }),
    );
  };
  return { ...state, start };
}

/** A text as JSON. @throws {SyntaxError} With the name of the field. */
export function parseField(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(`${name} is not valid JSON: ${error instanceof Error ? error.message : ""}`, {
      cause: error,
    });
  }
}

/** Sends an action for the current session, shows a notice, and refreshes the session. */
type Act = (
  action: string,
  /** Throws for invalid input. */
  body: () => { readonly [name: string]: Json | undefined },
  done?: () => void,
) => void;

export function useAct(): readonly [task: Task<void>, act: Act] {
  const inspector = useInspector();
  const session = useSession();
  const task = useTask<void>();
  const act: Act = (action, body, done) =>
    task.start(async () => {
      inspector.say((await session.source.act<ActionResult>(session.id, action, body())).done);
      done?.();
      await session.refresh();
    });
  return [task, act];
}
