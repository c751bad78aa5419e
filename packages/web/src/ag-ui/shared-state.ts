import type { Conversation, Message } from "@pollux/core/conversation";
import { isSame } from "../json.ts";
import type { AgUiPatch } from "./events.ts";

/** Members of the state that a client shares with the agent. JSON. */
export interface AgUiState {
  readonly [name: string]: unknown;
}

/** The state as of a message of the assistant; undefined when the message says nothing about it. */
export type StateOf = (message: Message) => AgUiState | undefined;

const TODO_TOOLS: ReadonlySet<string> = new Set(["set_todos", "update_todo"]);

/** `{ todos }`: the list of `todoList()` of `@pollux/tools` as of a message. */
export function todoState({ parts }: Message): AgUiState | undefined {
  for (const part of parts.toReversed()) {
    if (part.type !== "tool-call" || !TODO_TOOLS.has(part.name)) continue;
    const todos = member(part.output, "items") ?? member(part.progress, "todo");
    if (Array.isArray(todos)) return { todos };
  }
  return undefined;
}

function member(value: unknown, name: string): unknown {
  // Any value but these two has members.
  return value === undefined || value === null ? undefined : (value as AgUiState)[name];
}

/** Reports changes of the state. Members that others put into it stay as they are. */
export class SharedState {
  readonly #stateOf: StateOf;
  #sent: AgUiState = {};
  /** The state of the messages before the followed one. */
  #before: AgUiState | undefined;

  constructor(stateOf: StateOf) {
    this.#stateOf = stateOf;
  }

  /** The changes that bring a client's state up to a message. */
  changes(message: Message, { messages }: Conversation): readonly AgUiPatch[] {
    this.#before ??= this.#stateBefore(message, messages);
    const state = this.#stateOf(message) ?? this.#before;
    const sent = this.#sent;
    this.#sent = state;
    const path = (name: string): string => `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    return [
      ...Object.keys(sent).flatMap((name) => (name in state ? [] : [{ op: "remove" as const, path: path(name) }])),
      ...Object.entries(state).flatMap(([name, value]) =>
        name in sent && isSame(sent[name], value) ? [] : [{ op: "add" as const, path: path(name), value }],
      ),
    ];
  }

  #stateBefore({ id }: Message, messages: readonly Message[]): AgUiState {
    const before = messages.slice(
      0,
      messages.findIndex((one) => one.id === id),
    );
    for (const message of before.toReversed()) {
      const state = message.role === "model" ? this.#stateOf(message) : undefined;
      if (state !== undefined) return state;
    }
    return {};
  }
}
