import { present } from "../internal/json.ts";
import { checkValue, describeValue } from "../internal/option-names.ts";
import type { Content } from "../wire/types/content.ts";

/**
 * What a message or a tool's result brings into the history: `"untrusted"` content that anybody may have written, such as a web page, an
 * email or a file from elsewhere; `"private"` data that not everybody may read; both; or `"trusted"`, neither of them.
 */
export type Reads = "trusted" | ReadsWord | readonly ReadsWord[];

/** One word of {@link Reads}. */
export type ReadsWord = "untrusted" | "private";

/**
 * How far a call reaches. `"outside"`: it gives its arguments to somebody else or changes something that matters, such as an email, a payment
 * or a command. `"lookup"`: a stranger sees the arguments, but nothing changes, such as when fetching a page. `"inside"`: neither.
 */
export type Reach = "inside" | "lookup" | "outside";

/**
 * What happens to an outside call after the model has read untrusted content: `"ask"` for approval, `"deny"` it and let the model read why,
 * or `"allow"` it. A `"lookup"` counts as an outside call if there is also private data of another origin.
 */
export type AfterUntrusted = "ask" | "deny" | "allow";

/** What a result brings, or a function of the validated input and the output (`undefined` when the tool threw). If it throws: both. */
export type ToolReads<Input = unknown, Output = unknown> =
  | Reads
  // A method, so that tools with other inputs stay assignable.
  | { of(input: Input, output: Output | undefined): Reads }["of"];

/** How far calls reach, or a function of the validated input. If it throws: `"outside"`. */
export type ToolReach<Input = unknown> = Reach | { of(input: Input, run: ReachContext): Reach }["of"];

/** What a tool's `reach` function knows about the run. */
export interface ReachContext {
  /**
   * Whether this exact address was in a message of the person or in an untrusted result, so that it carries no other data. True for at most
   * three addresses of a site (the last two labels of a host), because a choice among many reveals something.
   */
  readonly seen: (url: string) => boolean;
}

/** A tool's settings for untrusted content. Only the author's code sets them: no model, page or server can. */
export interface ToolTrust<Input = unknown, Output = unknown> {
  /** What a result, or an error that the tool throws, brings into the history. @defaultValue `["untrusted", "private"]`: the worst case */
  readonly reads?: ToolReads<Input, Output> | undefined;
  /** How far a call reaches. @defaultValue "outside" with `effects: "once"` or `needsApproval`, otherwise "inside" */
  readonly reach?: ToolReach<Input> | undefined;
  /** What the tool belongs to, such as a server: a lookup may send back there what was read there. @defaultValue none: all data is another's */
  readonly origin?: string | undefined;
  /** What happens to an outside call after the model has read untrusted content. @defaultValue the agent's, whose `"deny"` stands, or "ask" */
  readonly afterUntrusted?: AfterUntrusted | undefined;
  /**
   * Whether somebody else wrote its name, description or schema, such as a server that nobody checked: the model then reads untrusted content
   * in its first request. That alone does not hold back calls of the same `origin`. @defaultValue false
   */
  readonly untrustedDescription?: boolean | undefined;
}

/** Why a call needs approval or is denied, even if its tool needs no approval. Plain JSON, 1 KB at most, without any text that was read. */
export interface UntrustedReason {
  readonly reach: Exclude<Reach, "inside">;
  readonly rule: Exclude<AfterUntrusted, "allow">;
  /**
   * Where untrusted content came from, latest first: the tool and the host or path that its call named. At most five, each of at most 200
   * characters; control characters are escaped.
   */
  readonly untrusted: readonly string[];
  /** Where private data came from: origins, or tools without one. At most five. */
  readonly private?: readonly string[] | undefined;
  /** Arguments of the call whose values appear verbatim in an untrusted result, such as `to` or `lines[0].text`. At most five. */
  readonly found?: readonly string[] | undefined;
}

/** What was read, as it is recorded; `unknown`: from a tool of which only the name is known. */
export type ReadsMark = ReadsWord | "both" | "unknown";

/** What the result of a call brings into the history; nothing when it is trusted. */
export interface ReadByCall {
  readonly reads?: ReadsMark | undefined;
  /** The tool's origin. */
  readonly origin?: string | undefined;
}

/** A source of a history's contents. A history never loses one. */
export interface ReadSource {
  /** Name of the tool, or of another source such as `message`; inside an agent's call, after the name of that tool. */
  readonly tool: string;
  readonly reads: ReadsMark;
  readonly origin?: string | undefined;
  /** The source is a tool's description. */
  readonly description?: true | undefined;
}

/** Names of a tool's options about untrusted content. */
export const TRUST = "reads reach origin afterUntrusted untrustedDescription";

/** The options about untrusted content that are set. */
export function trustOf(given: ToolTrust): ToolTrust {
  const names = TRUST.split(" ") as (keyof ToolTrust)[]; // its words
  return present(Object.fromEntries(names.map((name) => [name, given[name]])));
}

const READS: readonly unknown[] = ["trusted", "untrusted", "private"] satisfies Reads[];

/** Checks that each value is one of the words. @throws {TypeError} With the option's name and the words. */
export function checkReads(option: string, given: unknown): void {
  for (const one of [given].flat()) checkValue(option, one, READS);
}

/** What is wrong with these options, if anything. */
export function describeTrust({ reads, reach, afterUntrusted }: ToolTrust): string | undefined {
  const problem = [reads].flat().map((one) => describeValue("reads", one, READS, "function"));
  return (
    problem.find((one) => one !== undefined) ??
    describeValue("reach", reach, ["inside", "lookup", "outside"], "function") ??
    describeValue("afterUntrusted", afterUntrusted, ["ask", "deny", "allow"])
  );
}

/** The recorded form; `undefined` for trusted. Unknown words count as both. */
export function markOf(reads: unknown): ReadsMark | undefined {
  if (reads === "trusted") return undefined;
  const words = new Set<unknown>([reads].flat());
  if (words.has("untrusted") === words.has("private")) return "both";
  return words.has("private") ? "private" : "untrusted";
}

/** The part of a tool that says what its results bring. */
export interface ReadingTool extends Pick<ToolTrust<never, never>, "reads" | "origin"> {
  /** Its calls read only what the runs inside them have read. */
  readonly readsNested?: true | undefined;
}

/** What a tool's results bring, if nothing is known about the call. */
export function usualRead({ reads, origin, readsNested }: ReadingTool): ReadByCall {
  const mark = readsNested === true ? "both" : markOf(reads);
  return mark === undefined ? {} : { reads: mark, origin };
}

/** Adds what was read to a list, once. */
export function addRead(list: ReadSource[], ...sources: readonly ReadSource[]): void {
  const keyOf = ({ tool, reads, origin, description }: ReadSource): string =>
    `${reads} ${description} ${origin} ${tool}`;
  for (const source of sources) if (!list.some((one) => keyOf(one) === keyOf(source))) list.push(source);
}

/** Whether anybody may have written it; an unknown source is untrusted and private. */
export function isUntrusted({ reads }: Pick<ReadSource, "reads">): boolean {
  return reads !== "private";
}

/** Whether not everybody may read it. */
export function isPrivate({ reads }: Pick<ReadSource, "reads">): boolean {
  return reads !== "untrusted";
}

/** What contents bring when no step has recorded it: results, by the names of their tools, and files. */
export function readContents(contents: readonly Content[]): readonly ReadSource[] {
  const found: ReadSource[] = [];
  for (const { role, parts } of contents)
    for (const { functionResponse, toolResponse, inlineData, fileData } of parts) {
      if (functionResponse !== undefined) addRead(found, { tool: functionResponse.name, reads: "unknown" });
      if (toolResponse !== undefined) {
        // In contents from elsewhere, it may be missing.
        const { toolType }: { readonly toolType?: string | undefined } = toolResponse;
        // By the names that the built-in tools have: GOOGLE_SEARCH_WEB is a part of googleSearch.
        const words = (toolType ?? "tool").toLowerCase().replace(/^google_search_\w+/, "google_search");
        const tool = words.replaceAll(/_(\w)/g, (_all, letter: string) => letter.toUpperCase());
        const isWeb = !tool.includes("fileSearch") && /search|maps|url/i.test(tool);
        addRead(found, { tool, reads: isWeb ? "untrusted" : tool === "fileSearch" ? "private" : "both" });
      }
      if (role !== "model" && (inlineData ?? fileData) !== undefined) addRead(found, { tool: "file", reads: "both" });
    }
  return found;
}

/** What a caller says about a message. */
export interface InputReads {
  /** Of the message itself. */
  readonly reads?: Reads | undefined;
  /** Of the contents before it. */
  readonly historyReads?: Reads | undefined;
  /** What the run that wrote it has read. */
  readonly read?: readonly ReadSource[] | undefined;
}

/** The source that stands for a run's caller, when the message may contain the caller's private data. */
export const CALLER = "caller";

/** What a message brings into the history. */
export function readInput(
  contents: readonly Content[],
  { reads = "trusted", historyReads, read = [] }: InputReads,
): readonly ReadSource[] {
  const found = [...read];
  if (read.some(isPrivate)) addRead(found, { tool: CALLER, reads: "private" });
  const start = historyReads === undefined ? 0 : contents.findLastIndex(({ role }) => role === "model") + 1;
  const mark = markOf(reads);
  const before = start === 0 ? undefined : markOf(historyReads);
  if (mark !== undefined) addRead(found, { tool: "message", reads: mark });
  if (before !== undefined) addRead(found, { tool: "history", reads: before });
  addRead(found, ...readContents(contents.slice(start)));
  return found;
}

/** What a run has read that its caller had not. */
export function withoutKnown(
  read: readonly ReadSource[] = [],
  known: readonly ReadSource[] = [],
): readonly ReadSource[] {
  const all = [...known];
  addRead(all, ...read.filter(({ tool }) => tool !== CALLER));
  return all.slice(known.length);
}
