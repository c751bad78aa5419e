import { ConfigurationError } from "../errors/agent-error.ts";
import type { Content, FunctionCall, FunctionResponse, Part } from "../wire/types/content.ts";
import { capabilitiesOf } from "./capabilities.ts";
import { checkHistory } from "./check-history.ts";
import { prepareHistory } from "./prepare-history.ts";

/** Options of {@link importHistory}. */
export interface ImportHistoryOptions {
  /** Id of the model that goes on with it. @defaultValue the newest generation */
  readonly model?: string | undefined;
  /**
   * Ids of calls and their responses. `"complete"` keeps those that are there and makes the missing ones up;
   * `"strip"` takes all off, for endpoints that do not know the field.
   *
   * @defaultValue "complete"
   */
  readonly ids?: "complete" | "strip" | undefined;
  /**
   * Calls without a response, and responses without a call. `"refuse"` throws and says where; `"repair"` answers such a
   * call with an error that says so, and leaves such a response out.
   *
   * @defaultValue "refuse"
   */
  readonly orphans?: "refuse" | "repair" | undefined;
}

interface Pairing {
  readonly repair: boolean;
  readonly seen: Set<string>;
}

/**
 * A history that Gemini did not write, or that comes from another model or endpoint → one that a run can go on from.
 *
 * Takes contents in Gemini's form. Neighbouring model contents become one; the responses to their calls are brought into
 * one content, in the order of the calls, under the name and id of their call, and what stood among them follows in a
 * content of its own. Signatures, thoughts and the service's own tool calls are treated as {@link prepareHistory} treats
 * foreign ones. To keep what Gemini itself wrote, hand it to a run as it is; it needs no import.
 *
 * @throws {ConfigurationError} For a role other than `user` and `model`, a content or part without data, a call before
 *   anything the user said, and for orphans; the message says where.
 * @example
 * ```ts
 * const history = importHistory([
 *   { role: "user", parts: [{ text: "Weather in Oslo?" }] },
 *   { role: "model", parts: [{ functionCall: { name: "get_weather", args: { city: "Oslo" } } }] },
 *   { role: "user", parts: [{ functionResponse: { name: "get_weather", response: { output: "4 degrees" } } }] },
 *   { role: "model", parts: [{ text: "4 degrees." }] },
 * ]);
 * const chat = agent.chat({ history });
 * ```
 */
export function importHistory(contents: readonly Content[], options: ImportHistoryOptions = {}): readonly Content[] {
  const { model, ids = "complete", orphans = "refuse" } = options;
  checkHistory(contents);
  const pairing: Pairing = { repair: orphans === "repair", seen: new Set() };
  const paired: Content[] = [];
  for (let at = 0; at < contents.length;) {
    const role = contents[at]?.role;
    let end = at;
    while (contents[end]?.role === role) end++;
    const stretch = contents.slice(at, end);
    if (role === "model") {
      const said = joined(stretch);
      let next = end;
      while (contents[next]?.role === "user") next++;
      paired.push(...answered(said, contents.slice(end, next), end, pairing));
      at = next;
    } else {
      paired.push(...answered(undefined, stretch, at, pairing));
      at = end;
    }
  }
  const { family } = capabilitiesOf(model ?? "gemini-4");
  const prepared = prepareHistory(paired, { to: { family } });
  return ids === "strip" ? prepared.map(withoutIds) : prepared;
}

function joined(contents: readonly Content[]): Content {
  const [first] = contents;
  if (contents.length === 1 && first !== undefined) return first;
  return { role: "model", parts: contents.flatMap(({ parts }) => parts) };
}

/** One model content, or none, and what the user said up to the next. @param start - Index of the first of those. */
function answered(
  said: Content | undefined,
  replies: readonly Content[],
  start: number,
  { repair, seen }: Pairing,
): readonly Content[] {
  const calls = said?.parts.flatMap(({ functionCall }) => functionCall ?? []) ?? [];
  const left = replies.flatMap(({ parts }, i) =>
    parts.flatMap(({ functionResponse }) => (functionResponse ? [{ response: functionResponse, at: start + i }] : [])),
  );
  const ids = calls.map((call) => freshId(call.id, seen));
  const responses: Part[] = calls.map((call, i) => {
    const found = findResponse(
      call,
      left.map(({ response }) => response),
    );
    const response = found === -1 ? undefined : left.splice(found, 1)[0]?.response;
    if (response === undefined && !repair) {
      throw orphan(`the call of ${call.name} in contents[${start - 1}] has no response in the content behind it`);
    }
    const { id: _id, ...rest } = response ?? { response: { error: "The result of this call was not recorded." } };
    return { functionResponse: { ...rest, id: ids[i], name: call.name } };
  });
  const [stray] = left;
  if (stray !== undefined && !repair) {
    throw orphan(
      `the response of ${stray.response.name || stray.response.id} in contents[${stray.at}] answers no call of the content before`,
    );
  }
  const others = replies.flatMap((content) => {
    const parts = content.parts.filter(({ functionResponse }) => functionResponse === undefined);
    if (parts.length === content.parts.length) return content;
    return parts.length > 0 ? { ...content, parts } : [];
  });
  return [
    ...(said === undefined ? [] : [calls.length > 0 ? withIds(said, ids) : said]),
    ...(responses.length > 0 ? [{ role: "user" as const, parts: responses }] : []),
    ...others,
  ];
}

/** By id where both have one, else the first of that name, or of none: other vendors' results have only an id. */
function findResponse(call: FunctionCall, responses: readonly FunctionResponse[]): number {
  const byId = call.id ? responses.findIndex(({ id }) => id === call.id) : -1;
  if (byId !== -1) return byId;
  return responses.findIndex(({ id, name }) => (!name || name === call.name) && (!id || !call.id));
}

/** The id, unless there is none or it was used before. */
function freshId(given: string | undefined, seen: Set<string>): string {
  const id = given && !seen.has(given) ? given : `call-${seen.size + 1}`;
  if (!seen.has(id)) {
    seen.add(id);
    return id;
  }
  return freshId(`${id}x`, seen);
}

function withIds(content: Content, ids: readonly string[]): Content {
  let next = 0;
  const parts = content.parts.map((part): Part => {
    if (part.functionCall === undefined) return part;
    const id = ids[next++];
    return part.functionCall.id === id ? part : { ...part, functionCall: { ...part.functionCall, id } };
  });
  return parts.every((part, i) => part === content.parts[i]) ? content : { ...content, parts };
}

function withoutIds(content: Content): Content {
  const parts = content.parts.map((part): Part => {
    if (part.functionCall !== undefined) {
      const { id: _id, ...functionCall } = part.functionCall;
      return { ...part, functionCall };
    }
    if (part.functionResponse === undefined) return part;
    const { id: _id, ...functionResponse } = part.functionResponse;
    return { ...part, functionResponse };
  });
  return { ...content, parts };
}

function orphan(what: string): ConfigurationError {
  return new ConfigurationError(
    `The history cannot be imported: ${what}. Give both, leave both out, or pass orphans: "repair".`,
  );
}
