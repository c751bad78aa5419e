import type { Content, FunctionCall, FunctionResponse } from "../../wire/types/content.ts";

/** A call of a model turn. */
export interface CallInTurn {
  readonly call: FunctionCall;
  /** Index of its content in the turn. */
  readonly at: number;
  /** The service's own response, in the same turn; absent for an open call, which the client has to answer. */
  readonly response?: FunctionResponse | undefined;
}

/**
 * The calls of a model turn, in order. This alone decides which of them are open.
 *
 * Some functions are run by the service, such as those of its MCP servers: the call, its response and the text after it then come
 * in one model turn. Such a response belongs to the earlier call with its ID; if one of the two has no ID, to the first unanswered
 * one with its name. Responses in `user` contents answer open calls.
 *
 * @param turn - One model content, or several adjacent ones: the service reads them as one turn.
 */
export function readCalls(turn: readonly Content[]): readonly CallInTurn[] {
  const calls: AnsweredCall[] = [];
  let open: OpenCalls | undefined;
  for (const [at, { parts }] of turn.entries())
    for (const { functionCall: call, functionResponse: response } of parts) {
      if (call) calls.push({ call, at });
      if (!response || calls.length === 0) continue;
      const own = (open ??= new OpenCalls(calls)).find(response);
      if (own !== undefined) own.response = response;
    }
  return calls;
}

type AnsweredCall = { -readonly [Name in keyof CallInTurn]: CallInTurn[Name] };

/** Finds the call that a response belongs to. A turn may have a hundred thousand of both, so no response looks at all calls. */
class OpenCalls {
  readonly #calls: readonly AnsweredCall[];
  /** How many of the calls are in the queues. */
  #known = 0;
  readonly #byId = new Map<string, Queue>();
  readonly #byName = new Map<string, Queue>();
  /** Calls without an ID. */
  readonly #unnumbered = new Map<string, Queue>();

  /** @param calls - May grow. */
  constructor(calls: readonly AnsweredCall[]) {
    this.#calls = calls;
  }

  /** The earliest open call with the response's ID, or with its name if one of the two has no ID. */
  find({ id, name }: FunctionResponse): AnsweredCall | undefined {
    for (; this.#known < this.#calls.length; this.#known++) this.#add(this.#calls[this.#known] as AnsweredCall);
    // An empty ID is none.
    if (!id) return firstOpen(this.#byName.get(name));
    return firstOpen(this.#byId.get(id)) ?? firstOpen(this.#unnumbered.get(name));
  }

  #add(one: AnsweredCall): void {
    const { id, name } = one.call;
    enqueue(this.#byName, name, one);
    if (id) enqueue(this.#byId, id, one);
    else enqueue(this.#unnumbered, name, one);
  }
}

interface Queue {
  readonly calls: AnsweredCall[];
  /** Those before it are answered. */
  next: number;
}

function enqueue(queues: Map<string, Queue>, key: string, one: AnsweredCall): void {
  const queue = queues.get(key);
  if (queue === undefined) queues.set(key, { calls: [one], next: 0 });
  else queue.calls.push(one);
}

function firstOpen(queue: Queue | undefined): AnsweredCall | undefined {
  if (queue === undefined) return undefined;
  while (queue.calls[queue.next]?.response !== undefined) queue.next++;
  return queue.calls[queue.next];
}

/** The open calls of a model turn, in order; see {@link readCalls}. */
export function openCallsIn(turn: readonly Content[]): FunctionCall[] {
  const open: FunctionCall[] = [];
  for (const { call, response } of readCalls(turn)) if (response === undefined) open.push(call);
  return open;
}
