import { useRef, useState } from "preact/hooks";
import type { Json } from "@pollux/core";
import type { ActionResult } from "../../../src/inspection/results.ts";
import { useInspector } from "../app/inspector.ts";
import { useSession } from "../session/session-model.ts";

/** Something that a person started, and what came of it. */
export interface Task<T> {
  readonly isBusy: boolean;
  readonly value?: T | undefined;
  readonly error?: Error | undefined;
  /** Starts it; what came before is forgotten. */
  readonly start: (work: () => Promise<T>) => void;
}

/** One thing at a time: an answer to an earlier start is dropped. */
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

/** Does something with the session that is shown, says what was done, and shows the session as it is then. */
type Act = (
  action: string,
  /** Throws for what can't be asked. */
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
