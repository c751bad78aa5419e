import { ConfigurationError } from "../../errors/agent-error.ts";
import type { Content, FunctionCall, FunctionResponse } from "../../wire/types/content.ts";
import { isOlderFamily, type ModelCapabilities } from "../capabilities.ts";

/**
 * Checks that every function call has its response where the service looks for it, before anything is sent: in the `user`
 * content right behind the calls, under the same name and id, and nowhere else. Older families may spread responses over
 * several contents and take any name.
 *
 * A mismatch is refused by the service at best; newer models answer it with nothing.
 *
 * @param start - Where a turn begins; what stands before it is not checked.
 * @returns Where the last turn begins, which more contents may still join.
 * @throws {ConfigurationError} Naming the content that does not fit.
 * @see https://ai.google.dev/gemini-api/docs/function-calling
 */
export function checkPairing(
  contents: readonly Content[],
  { family }: Pick<ModelCapabilities, "family">,
  start = 0,
): number {
  let turn = start;
  for (let at = start; at < contents.length;) {
    turn = at;
    const calls: FunctionCall[] = [];
    let next = at;
    // Neighbouring contents of the model are one turn.
    for (; contents[next]?.role === "model"; next++)
      for (const { functionCall } of contents[next]?.parts ?? []) if (functionCall) calls.push(functionCall);
    if (calls.length > 0 && at === 0)
      throw pairingError(
        `contents[0] calls ${listNames(calls)} before any user content; start with the user's question`,
      );
    const answering = next;
    const responses: FunctionResponse[] = [];
    for (; next < contents.length && contents[next]?.role !== "model"; next++) {
      const before = responses.length;
      for (const { functionResponse } of contents[next]?.parts ?? [])
        if (functionResponse) responses.push(functionResponse);
      if (responses.length === before) continue;
      const isLate = next > answering && !isOlderFamily(family);
      if (calls.length === 0 || isLate) throw orphanError(responses.slice(before), next, isLate && calls.length > 0);
    }
    const open = calls.length - responses.length;
    if (open > 0)
      throw pairingError(
        `contents[${answering - 1}] calls ${listNames(calls)}, and ${describeUnanswered(calls, responses)}`,
      );
    if (open < 0) throw orphanError(responses.slice(calls.length), next - 1, false);
    const stray = findStray(calls, responses);
    if (stray !== undefined && !isOlderFamily(family))
      throw pairingError(
        `contents[${answering}] answers ${label(stray)}, and contents[${answering - 1}] calls ${calls.map(label).join(", ")}; copy the call's name and id`,
      );
    at = next;
  }
  return turn;
}

/** The first response that belongs to no call; of two calls with one name and id, each has its own. */
function findStray(
  calls: readonly FunctionCall[],
  responses: readonly FunctionResponse[],
): FunctionResponse | undefined {
  const open = [...calls];
  for (const response of responses) {
    let at = 0;
    // An empty id is none.
    while (at < open.length && !(open[at]?.name === response.name && (open[at]?.id || "") === (response.id || "")))
      at++;
    if (at === open.length) return response;
    open.splice(at, 1);
  }
  return undefined;
}

function describeUnanswered(calls: readonly FunctionCall[], responses: readonly FunctionResponse[]): string {
  if (responses.length === 0) return "the next content contains no response; answer every call, including failed ones";
  const count = `${responses.length} of ${calls.length}`;
  return `only ${count} are answered (${listNames(responses)}); answer every call, including failed ones`;
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

function listNames(list: readonly { readonly name?: string | undefined }[]): string {
  return list.map(({ name }) => name || "(no name)").join(", ");
}

function label({ id, name }: { readonly id?: string | undefined; readonly name: string }): string {
  return id ? `${name} (id ${id})` : name;
}
