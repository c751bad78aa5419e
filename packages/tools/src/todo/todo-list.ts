import { type Content, defineTool, type Tool, type ToolContext, ToolError } from "@pollux/core";
import { z } from "zod/v4";
import { SET_TODOS, type TodoItem, type TodoState, type TodoStatus, todosIn, UPDATE_TODO } from "./todo-item.ts";

/** Options of {@link todoList}. */
export interface TodoListOptions {
  /** The conversation so far, such as `await session.history()`: the list continues from there. @defaultValue none */
  readonly history?: readonly Content[] | undefined;
  /** Most items of a list. @defaultValue 50 */
  readonly maxItems?: number | undefined;
  /** Called with the whole list whenever it changes. @defaultValue none */
  readonly onChange?: ((items: readonly TodoItem[]) => void) | undefined;
}

/** Progress reported by a call. */
export interface TodoProgress {
  readonly todo: readonly TodoItem[];
}

/** The model's to-do list for one conversation. Created by {@link todoList}. */
export interface TodoList {
  /** `set_todos` and `update_todo`. */
  readonly tools: readonly Tool[];
  /** The current list. */
  readonly items: readonly TodoItem[];
  /** Restores the list from a history, such as that of a session about to be resumed. */
  restore(history: readonly Content[]): void;
}

const STATUS = z.enum(["open", "doing", "done"]);

/** Longest text of an item, in characters. */
const MAX_TEXT = 300;

/**
 * A to-do list for the model: `set_todos` writes it, `update_todo` changes one item.
 *
 * Each conversation needs its own list. Each result contains the whole list, so it can be restored: pass `history` when a
 * conversation continues in another process. Each change is also a `tool-progress` event, `{ todo: items }`.
 *
 * @throws {TypeError} If `maxItems` is not an integer of at least 1.
 */
export function todoList(options: TodoListOptions = {}): TodoList {
  const { history = [], maxItems = 50, onChange } = options;
  if (!Number.isSafeInteger(maxItems) || maxItems < 1)
    throw new TypeError(`todoList(): maxItems must be an integer of at least 1, got ${String(maxItems)}`);
  let items = todosIn(history) ?? [];

  const settle = async (next: readonly TodoItem[], context: ToolContext): Promise<TodoState> => {
    items = next;
    onChange?.(items);
    const progress: TodoProgress = { todo: items };
    await context.progress(progress);
    return { items };
  };

  return {
    get items() {
      return items;
    },
    tools: [setTodos(maxItems, settle), updateTodo(() => items, settle)],
    restore: (contents) => {
      items = todosIn(contents) ?? [];
    },
  };
}

type Settle = (items: readonly TodoItem[], context: ToolContext) => Promise<TodoState>;

interface SetTodosInput {
  readonly items: readonly { readonly text: string; readonly status?: TodoStatus | undefined }[];
}

function setTodos(maxItems: number, settle: Settle): Tool<SetTodosInput, TodoState> {
  return defineTool({
    name: SET_TODOS,
    description:
      "Writes the plan: the complete list of what needs to be done, in order. Replaces any existing plan. Use it for work of three or more steps.",
    sequential: true,
    reads: "trusted",
    input: z.object({
      items: z
        .array(
          z.object({
            text: z.string().trim().min(1).max(MAX_TEXT).describe("What needs to be done, in one line"),
            status: STATUS.optional().describe("Default open"),
          }),
        )
        .max(maxItems),
    }),
    run: ({ items }, context) =>
      settle(
        items.map(({ text, status = "open" }, index) => ({ id: String(index + 1), text, status })),
        context,
      ),
  });
}

interface UpdateTodoInput {
  readonly id: string;
  readonly status?: TodoStatus | undefined;
  readonly text?: string | undefined;
}

function updateTodo(now: () => readonly TodoItem[], settle: Settle): Tool<UpdateTodoInput, TodoState> {
  return defineTool({
    name: UPDATE_TODO,
    description: "Updates one item of the plan: set it to doing when you start it and to done when it is finished.",
    sequential: true,
    reads: "trusted",
    input: z.object({
      id: z.string().describe("ID of the item, such as 2"),
      status: STATUS.optional(),
      text: z
        .string()
        .trim()
        .min(1)
        .max(MAX_TEXT)
        .optional()
        .describe("New text, if what needs to be done has changed"),
    }),
    run: ({ id, status, text }, context) => {
      const items = now();
      if (!items.some((item) => item.id === id)) throw new ToolError(noSuchItem(id, items));
      return settle(
        items.map((item) => (item.id === id ? { id, text: text ?? item.text, status: status ?? item.status } : item)),
        context,
      );
    },
  });
}

function noSuchItem(id: string, items: readonly TodoItem[]): string {
  const known =
    items.length === 0 ? "there is no plan yet; write one with set_todos" : `the plan has items 1 to ${items.length}`;
  return `there is no item ${JSON.stringify(id.slice(0, 20))}: ${known}`;
}
