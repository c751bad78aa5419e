import type { Json } from "@pollux/core";
import type { ActionResult } from "../../../src/inspection/results.ts";
import { type Task, useTask } from "../acting/use-task.ts";
import { useInspector } from "../app/inspector.ts";
import { useSession } from "./session-model.ts";

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
