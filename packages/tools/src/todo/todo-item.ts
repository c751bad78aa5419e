import type { Content } from "@pollux/core";
import { z } from "zod/v4";

/** Status of an item. */
export type TodoStatus = "open" | "doing" | "done";

/** One item of a to-do list. */
export interface TodoItem {
  /** `"1"`, `"2"` and so on, by position in the list. */
  readonly id: string;
  readonly text: string;
  readonly status: TodoStatus;
}

/** The result of both tools: the whole current list. */
export interface TodoState {
  readonly items: readonly TodoItem[];
}

/** Names of the two tools. */
export const SET_TODOS = "set_todos";
export const UPDATE_TODO = "update_todo";

const STATE = z.object({
  items: z.array(z.object({ id: z.string(), text: z.string(), status: z.enum(["open", "doing", "done"]) })),
});

/** The latest list in a history; `undefined` if the tools were never called. */
export function todosIn(contents: readonly Content[]): readonly TodoItem[] | undefined {
  for (const { role, parts } of contents.toReversed()) {
    if (role !== "user") continue;
    for (const { functionResponse } of parts.toReversed()) {
      if (functionResponse?.name !== SET_TODOS && functionResponse?.name !== UPDATE_TODO) continue;
      const state = STATE.safeParse(functionResponse.response["output"]);
      if (state.success) return state.data.items;
    }
  }
  return undefined;
}
