import { ConfigurationError } from "../errors/agent-error.ts";
import type { Content, FunctionCall, FunctionResponse } from "../wire/types/content.ts";
import type { ModelCapabilities } from "./capabilities.ts";
import { KnownPrefix } from "./known-prefix.ts";

/**
 * Checks that every function call has its response where the service looks for it, before anything is sent: in the `user`
 * content right behind the calls, under the same name and id, and nowhere else. Older families may spread responses over
 * several contents and take any name.
 *
 * A mismatch is refused by the service at best; newer models answer it with nothing.
 *
 * @param good - Of the conversation: what was found good up to the start of the last turn is not checked again.
 * @throws {ConfigurationError} Naming the content that does not fit.
 * @see https://ai.google.dev/gemini-api/docs/function-calling
 */
export function checkPairing(
  contents: readonly Content[],
  { family }: Pick<ModelCapabilities, "family">,
  good: KnownPrefix = new KnownPrefix(),
): void {
  const isOld = /^gemini-[12]$|^gemma|^speech/.test(family);
  const known = good.lengthIn(contents);
  // The last content known begins a turn, which more contents may have joined since.
  let turn = Math.max(0, known - 1);
  for (let at = turn; at < contents.length;) {
    turn = at;
    const calls: FunctionCall[] = [];
    let next = at;
    // Neighbouring contents of the model are one turn.
    for (; contents[next]?.role === "model"; next++) calls.push(...callsOf(contents[next]));
    if (calls.length > 0 && at === 0)
      throw bad(`contents[0] calls ${names(calls)} before the user said anything; begin with what the user asked`);
    const answering = next;
    const responses: FunctionResponse[] = [];
    for (; next < contents.length && contents[next]?.role !== "model"; next++) {
      const found = responsesOf(contents[next]);
      const isLate = next > answering && !isOld;
      if (found.length > 0 && (calls.length === 0 || isLate)) throw orphan(found, next, isLate && calls.length > 0);
      responses.push(...found);
    }
    const open = calls.length - responses.length;
    if (open > 0) throw bad(`contents[${answering - 1}] calls ${names(calls)}, and ${unanswered(calls, responses)}`);
    if (open < 0) throw orphan(responses.slice(calls.length), next - 1, false);
    const stray = isOld ? undefined : strayOf(calls, responses);
    if (stray !== undefined)
      throw bad(
        `contents[${answering}] answers ${label(stray)}, and contents[${answering - 1}] calls ${calls.map(label).join(", ")}; copy name and id of the call`,
      );
    at = next;
  }
  good.remember(contents, turn + 1);
}

/** The first response that belongs to no call; of two calls with one name and id, each has its own. */
function strayOf(calls: readonly FunctionCall[], responses: readonly FunctionResponse[]): FunctionResponse | undefined {
  const open = [...calls];
  return responses.find((response) => {
    // An empty id is none.
    const found = open.findIndex(({ id, name }) => (id || "") === (response.id || "") && name === response.name);
    if (found !== -1) open.splice(found, 1);
    return found === -1;
  });
}

function unanswered(calls: readonly FunctionCall[], responses: readonly FunctionResponse[]): string {
  if (responses.length === 0) return "the content behind it holds no response; answer each call, also one that failed";
  const count = `${responses.length} of ${calls.length}`;
  return `only ${count} are answered (${names(responses)}); answer each call, also one that failed`;
}

function orphan(responses: readonly FunctionResponse[], at: number, isSpread: boolean): ConfigurationError {
  return bad(
    isSpread
      ? `contents[${at}] answers ${names(responses)} apart from the others; put all responses to one turn into one content`
      : `contents[${at}] answers ${names(responses)}, which the content before does not call; leave the response out, or cut the history before a question of the user`,
  );
}

function bad(what: string): ConfigurationError {
  return new ConfigurationError(
    `The history cannot be sent: ${what}. importHistory() with orphans: "repair" mends a history.`,
  );
}

function callsOf(content: Content | undefined): FunctionCall[] {
  return content?.parts.flatMap(({ functionCall }) => functionCall ?? []) ?? [];
}

function responsesOf(content: Content | undefined): FunctionResponse[] {
  return content?.parts.flatMap(({ functionResponse }) => functionResponse ?? []) ?? [];
}

function names(list: readonly { readonly name?: string | undefined }[]): string {
  return list.map(({ name }) => name || "(no name)").join(", ");
}

function label({ id, name }: { readonly id?: string | undefined; readonly name: string }): string {
  return id ? `${name} (id ${id})` : name;
}
