import { ConfigurationError } from "../../errors/agent-error.ts";
import type { Content, FunctionCall, FunctionResponse } from "../../wire/types/content.ts";
import { isOlderFamily, type ModelCapabilities } from "../../wire/known-models.ts";

/** A call of a model turn. */
export interface CallInTurn {
  readonly call: FunctionCall;
  /** Index of its content in the turn. */
  readonly at: number;
  /** The service's own response, in the same turn; absent for an open call, which the client has to answer. */
  readonly response?: FunctionResponse | undefined;
}

/**
 * The calls of a model turn, in order. This alone decides which of them are open. Some functions are run by the service: the call, its
 * response and the text after it then come in one model turn. Such a response belongs to the earlier call with its ID; if one of the two
 * has no ID, to the first unanswered one with its name. Responses in `user` contents answer open calls.
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
  /** Calls by the ID or name that a response may share with them; calls before `next` are answered. */
  readonly #queues = new Map<string, { readonly calls: AnsweredCall[]; next: number }>();

  add(one: AnsweredCall): void {
    const { id, name } = one.call;
    for (const key of [`name ${name}`, id ? `id ${id}` : `unnumbered ${name}`]) {
      const queue = this.#queues.get(key);
      if (queue === undefined) this.#queues.set(key, { calls: [one], next: 0 });
      else queue.calls.push(one);
    }
  }

  /** The earliest open call with the response's ID, or with its name if one of the two has no ID. An empty ID counts as none. */
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

/** True for a response with the name and the ID of a call. An empty ID counts as none. */
export function isAnswerTo(response: FunctionResponse, { id, name }: FunctionCall): boolean {
  return response.name === name && (response.id || "") === (id || "");
}

/** The responses in a content, in order. */
export function responsesIn({ parts }: Content): readonly FunctionResponse[] {
  const found: FunctionResponse[] = [];
  for (const { functionResponse } of parts) if (functionResponse) found.push(functionResponse);
  return found;
}

/** End index of the adjacent contents from `start` on that the model wrote, or with `isModel: false`, that it did not write. */
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

/**
 * Checks that the responses to the calls of a turn are in the `user` content right after it, with the same names and IDs, and nowhere else:
 * the service rejects a mismatch at best. Older families accept responses spread over several contents, and any name.
 * @param start - Where a turn begins; earlier contents are not checked.
 * @returns Where the last turn begins; later contents may extend it.
 * @throws {ConfigurationError} Naming the content at fault.
 * @see https://ai.google.dev/gemini-api/docs/function-calling
 */
export function checkPairing(
  contents: readonly Content[],
  { family }: Pick<ModelCapabilities, "family">,
  start = 0,
): number {
  const isStrict = !isOlderFamily(family);
  let turn = start;
  for (let at = start; at < contents.length;) {
    turn = at;
    let answering = at;
    // Adjacent model contents are one turn.
    while (contents[answering]?.role === "model") answering++;
    const made = readCalls(contents.slice(at, answering));
    if (at === 0 && made.length > 0)
      throw pairingError(
        `contents[0] calls ${listNames(made.map(({ call }) => call))} before any user content; start with the user's question`,
      );
    const calls: FunctionCall[] = [];
    for (const { call, response } of made) if (response === undefined) calls.push(call);
    const responses: FunctionResponse[] = [];
    let next = answering;
    for (; next < contents.length && contents[next]?.role !== "model"; next++) {
      const before = responses.length;
      for (const { functionResponse } of contents[next]?.parts ?? [])
        if (functionResponse) responses.push(functionResponse);
      const isLate = next > answering && isStrict;
      if (responses.length > before && (calls.length === 0 || isLate))
        throw orphanError(responses.slice(before), next, calls.length > 0);
    }
    if (responses.length < calls.length) {
      const found =
        responses.length === 0
          ? "the next content contains no response"
          : `only ${responses.length} of ${calls.length} are answered (${listNames(responses)})`;
      throw pairingError(
        `contents[${answering - 1}] calls ${listNames(calls)}, and ${found}; answer every call, including failed ones`,
      );
    }
    if (responses.length > calls.length) throw orphanError(responses.slice(calls.length), next - 1, false);
    const stray = isStrict && findStray(calls, responses);
    if (stray)
      throw pairingError(
        `contents[${answering}] answers ${describeCall(stray)}, and contents[${answering - 1}] calls ${calls.map(describeCall).join(", ")}; copy the call's name and id`,
      );
    at = next;
  }
  return turn;
}

/** The first response without a call; two calls with the same name and ID need two responses. */
function findStray(
  calls: readonly FunctionCall[],
  responses: readonly FunctionResponse[],
): FunctionResponse | undefined {
  const open = [...calls];
  return responses.find((response) => {
    const at = open.findIndex((call) => isAnswerTo(response, call));
    if (at !== -1) open.splice(at, 1);
    return at === -1;
  });
}

function orphanError(responses: readonly FunctionResponse[], at: number, isSpread: boolean): ConfigurationError {
  return pairingError(
    isSpread
      ? `contents[${at}] answers ${listNames(responses)} separately from the others; put all responses of one turn into one content`
      : `contents[${at}] answers ${listNames(responses)}, which the previous content does not call; remove the response, or cut the history at a user's question`,
  );
}

function pairingError(what: string): ConfigurationError {
  return new ConfigurationError(
    `The history cannot be sent: ${what}. importHistory() with orphans: "repair" repairs it.`,
  );
}

/** Names of calls or responses, for messages. */
export function listNames(list: readonly { readonly name?: string | undefined }[]): string {
  return list.map(({ name }) => name || "(no name)").join(", ");
}

/** Name and ID of a call or response, for messages. */
export function describeCall({ id, name }: { readonly id?: string | undefined; readonly name: string }): string {
  return id ? `${name} (id ${id})` : name;
}

/** True if other parts follow function responses; before them, other parts are allowed. Always false for model contents. */
export function isMixed({ role, parts }: Content): boolean {
  if (role === "model") return false;
  let hasResponse = false;
  for (const { functionResponse } of parts) {
    if (functionResponse !== undefined) hasResponse = true;
    else if (hasResponse) return true;
  }
  return false;
}
