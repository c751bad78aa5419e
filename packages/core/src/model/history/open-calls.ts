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
      if (call) {
        const made: AnsweredCall = { call, at };
        calls.push(made);
        open?.add(made);
      }
      if (!response) continue;
      if (open === undefined) {
        open = new OpenCalls();
        for (const made of calls) open.add(made);
      }
      const own = open.find(response);
      if (own) own.response = response;
    }
  return calls;
}

type AnsweredCall = { -readonly [Name in keyof CallInTurn]: CallInTurn[Name] };

/** Finds the call that a response belongs to. A turn may have a hundred thousand of both, so no response looks at all calls. */
class OpenCalls {
  /** Calls by what a response may have in common with them; those before `next` are answered. */
  readonly #queues = new Map<string, { readonly calls: AnsweredCall[]; next: number }>();

  add(one: AnsweredCall): void {
    const { id, name } = one.call;
    for (const key of [`name ${name}`, id ? `id ${id}` : `unnumbered ${name}`]) {
      const queue = this.#queues.get(key);
      if (queue === undefined) this.#queues.set(key, { calls: [one], next: 0 });
      else queue.calls.push(one);
    }
  }

  /** The earliest open call with the response's ID, or with its name if one of the two has no ID. An empty ID is none. */
  find({ id, name }: FunctionResponse): AnsweredCall | undefined {
    return id ? (this.#first(`id ${id}`) ?? this.#first(`unnumbered ${name}`)) : this.#first(`name ${name}`);
  }

  #first(key: string): AnsweredCall | undefined {
    const queue = this.#queues.get(key);
    if (queue === undefined) return undefined;
    while (queue.calls[queue.next]?.response !== undefined) queue.next++;
    return queue.calls[queue.next];
  }
}

/** True for a response with the name and the ID of a call. An empty ID is none. */
export function isAnswerTo(response: FunctionResponse, { id, name }: FunctionCall): boolean {
  return response.name === name && (response.id || "") === (id || "");
}

/** The responses in a content, in order. */
export function responsesIn({ parts }: Content): readonly FunctionResponse[] {
  const found: FunctionResponse[] = [];
  for (const { functionResponse } of parts) if (functionResponse) found.push(functionResponse);
  return found;
}

/** Index after the adjacent contents, from one on, that the model wrote, or that it did not. */
export function endOfSide(contents: readonly Content[], start: number, isModel: boolean): number {
  let end = start;
  while (end < contents.length && (contents[end]?.role === "model") === isModel) end++;
  return end;
}

/** The open calls of a model turn, in order; see {@link readCalls}. */
export function openCallsIn(turn: readonly Content[]): FunctionCall[] {
  const open: FunctionCall[] = [];
  for (const { call, response } of readCalls(turn)) if (response === undefined) open.push(call);
  return open;
}
