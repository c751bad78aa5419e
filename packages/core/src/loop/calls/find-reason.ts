import { isObject, tryOr } from "../../internal/json.ts";
import { cutText } from "../../internal/text.ts";
import type { Reach, ReachContext, ReadByCall, ReadSource, UntrustedReason } from "../../tool/reads.ts";
import type { asMeant } from "../../tool/stand-in.ts";
import type { Tool } from "../../tool/tool.ts";
import type { Toolset } from "../../tool/toolset.ts";
import type { Content, FunctionCall, JsonObject } from "../../wire/types/content.ts";

// Loaded with the first call that may be held back: most runs have none.

interface Known {
  readonly contents: readonly Content[];
  readonly read: readonly ReadSource[];
}

interface AskedCall {
  readonly call: FunctionCall;
  readonly tool: Tool;
  /** What the tool would get. */
  readonly input: unknown;
  /** The reach of the tool's calls, if the tool declares none. */
  readonly usualReach: Reach;
  readonly rule: UntrustedReason["rule"];
}

/**
 * Why a call needs approval, or is denied, after the model has read untrusted content; undefined if it runs. A call that reaches outside is
 * held after any untrusted content; a lookup, only if there is also private data of another origin: its arguments may contain that.
 * @param about - `byName`, `usualRead`: what a tool brings if only its name is known. `caller`: the source that stands for a caller.
 */
export function findReason(
  { read, contents: sent }: Known,
  { call, tool, input, usualReach, rule }: AskedCall,
  {
    byName,
    standIns,
    usualRead,
    meant,
    caller,
  }: Pick<Toolset, "byName" | "standIns"> & {
    readonly meant: typeof asMeant;
    readonly usualRead: (tool: Tool) => ReadByCall;
    readonly caller: string;
  },
): UntrustedReason | undefined {
  const contents = meant(sent, standIns);
  const sources = read.flatMap((source): readonly ReadSource[] => {
    const named = source.reads === "unknown" ? byName.get(source.tool) : undefined;
    if (named === undefined) return [source];
    const { reads, origin } = usualRead(named);
    return reads === undefined ? [] : [{ tool: source.tool, reads, origin }];
  });
  const isOwn = ({ origin }: ReadSource): boolean => origin !== undefined && tool.origin === origin;
  const secret = sources.filter(({ reads, tool: name }) => reads !== "untrusted" && name !== caller);
  const foreign = secret.filter((source) => !isOwn(source));
  // A server's own descriptions do not hold back its calls while these can carry only its own data.
  const untrusted = sources.filter(
    (source) => source.reads !== "private" && !(source.description === true && isOwn(source) && foreign.length === 0),
  );
  if (untrusted.length === 0) return undefined;
  const seen: ReachContext["seen"] = (url) => wasSeen({ contents, read: sources }, url, caller);
  const { reach: given = usualReach } = tool;
  const declared: unknown = typeof given === "function" ? tryOr(() => given(input, { seen }), "outside") : given;
  const reach = declared === "inside" || declared === "lookup" ? declared : "outside";
  if (reach === "inside" || (reach === "lookup" && foreign.length === 0)) return undefined;
  const secrets = (reach === "lookup" ? foreign : secret).map(({ origin, tool: name }) => shown(origin ?? name, 60));
  return fit({
    reach,
    rule,
    untrusted: listSources(contents, untrusted),
    private: [...new Set(secrets)].slice(0, 5),
    found: findArguments(contents, untrusted, call.args ?? {}),
  });
}

/** The last hosts and paths in calls of untrusted tools, and the untrusted tools that were not called here. */
function listSources(contents: readonly Content[], untrusted: readonly ReadSource[]): string[] {
  const left = new Set(untrusted.toReversed().map(({ tool }) => tool));
  const found = new Set<string>();
  // Without the answer whose calls are being decided.
  for (const { parts } of contents.slice(0, -1).toReversed())
    for (const { functionCall: call } of parts.toReversed())
      if (call !== undefined && untrusted.some(({ tool }) => tool === call.name)) {
        left.delete(call.name);
        found.add(shown([call.name, placeOf(call) ?? []].flat().join(" ")));
      }
  return [...found, ...[...left].map((tool) => shown(tool))].slice(0, 5);
}

/** The reason without empty lists, in at most 1 KB. */
function fit({ private: secret = [], found = [], untrusted, ...reason }: UntrustedReason): UntrustedReason {
  const lists = { untrusted, ...(secret.length > 0 && { private: secret }), ...(found.length > 0 && { found }) };
  const made = { ...reason, ...lists };
  if (new TextEncoder().encode(JSON.stringify(made)).length <= 1024) return made;
  if (untrusted.length > 1) return fit({ ...made, untrusted: untrusted.slice(0, -1) });
  return fit({ ...made, private: secret.slice(0, -1), found: found.slice(0, -1) });
}

/** The arguments whose values appear verbatim in the results of untrusted tools. The absence of an argument proves nothing. */
function findArguments(contents: readonly Content[], untrusted: readonly ReadSource[], args: JsonObject): string[] {
  const names = new Set(untrusted.map(({ tool }) => tool));
  const responses = contents.flatMap(({ parts }) => parts.flatMap(({ functionResponse }) => functionResponse ?? []));
  const results = responses.flatMap(({ name, response }) => (names.has(name) ? textsIn(response) : []));
  const found = textsIn(args).filter(
    ({ text }) => text.trim().length >= 4 && results.some((one) => one.text.includes(text)),
  );
  return found.slice(0, 5).map(({ path }) => shown(path, 60));
}

/** The texts and numbers in a value, and where they are, such as `to[0].name`. */
function textsIn(value: unknown, path: string = ""): { readonly path: string; readonly text: string }[] {
  if (typeof value === "string" || typeof value === "number") return [{ path, text: String(value) }];
  if (Array.isArray(value)) return value.flatMap((one, index) => textsIn(one, `${path}[${index}]`));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, one]) => textsIn(one, path === "" ? name : `${path}.${name}`));
}

/** A host or a path in a call's arguments. */
export function placeOf({ args = {} }: Pick<FunctionCall, "args">): string | undefined {
  for (const [name, value] of Object.entries(args)) {
    const text: unknown = Array.isArray(value) ? value[0] : value;
    if (typeof text !== "string") continue;
    if (/^https?:/i.test(text) && URL.canParse(text)) return new URL(text).host;
    if (/(^|_)(path|file|folder|dir|directory|uri)$/i.test(name)) return text;
  }
  return undefined;
}

/** Maximum addresses of a site that may be looked up because somebody else wrote them. */
const MAX_SEEN = 3;

/**
 * Whether an exact address was in a person's message, or in a result that was untrusted and not private: it cannot contain private data. Only
 * a few calls may have gone to its site, and an address that the model wrote before it appeared elsewhere does not count.
 */
function wasSeen({ contents, read }: Known, url: string, caller: string): boolean {
  if (!URL.canParse(url)) return false;
  const site = siteOf(new URL(url).host);
  const own = unwrapped(url);
  // A model wrote the task of a run inside a call, and may have put private data into it.
  const isTask = read.some(({ tool }) => tool === caller);
  const isPublic = (name: string): boolean =>
    read.some(({ tool }) => tool === name) && read.every(({ tool, reads }) => tool !== name || reads === "untrusted");
  let calls = 0;
  let isSeen = false;
  let isOwn = false;
  for (const { role, parts } of contents)
    for (const { text = "", functionCall, functionResponse } of parts) {
      const given = textsIn(functionCall?.args ?? {});
      if (given.some((one) => URL.canParse(one.text) && siteOf(new URL(one.text).host) === site)) calls++;
      if (isSeen || isOwn) continue;
      if (functionCall !== undefined) isOwn = unwrapped(functionCall.args ?? {}).includes(own);
      else if (functionResponse !== undefined && isPublic(functionResponse.name))
        isSeen = textsIn(functionResponse.response).some((one) => hasAddress(one.text, url));
      else isSeen = role !== "model" && !isTask && hasAddress(text, url);
    }
  return isSeen && calls <= MAX_SEEN;
}

/** The site of a host, roughly: the last two labels of a name; all IP addresses are one site. */
function siteOf(host: string): string {
  const name = host.replace(/:\d+$/, "");
  return /^[\d.]+$|^\[/.test(name) ? "an address" : name.split(".").slice(-2).join(".");
}

/** Texts and names, in a form that does not depend on how an address was encoded. */
function unwrapped(value: string | JsonObject): string {
  const text = JSON.stringify(value).replace(/^"|"$/g, "");
  const decoded = text.replace(/(?:%[\da-f]{2})+/gi, (one) => tryOr(() => decodeURIComponent(one), one));
  return decoded.toLowerCase().replace(/^https?:\/\//, "");
}

/** Whether a text contains exactly this address: a longer one is a different address. */
function hasAddress(text: string, url: string): boolean {
  for (let at = text.indexOf(url); at >= 0; at = text.indexOf(url, at + 1)) {
    const rest = text.slice(at + url.length, at + url.length + 2);
    if (/^([\s"'<>`\\^{}|]|$|[.,;:!?)\]*](\s|["'<>]|$))/.test(rest)) return true;
  }
  return false;
}

/** A text for the person who decides: short, with characters escaped that hide or reverse others. */
export function shown(text: string, length: number = 200): string {
  const escaped = text
    .slice(0, length)
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (one) => `\\u{${one.codePointAt(0)?.toString(16)}}`);
  return Math.max(text.length, escaped.length) > length ? `${cutText(escaped, length - 1)}…` : escaped;
}
