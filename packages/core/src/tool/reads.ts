import { present } from "../internal/json.ts";
import { checkValue, describeValue } from "../internal/option-names.ts";
import type { Content } from "../wire/types/content.ts";

/**
 * What somebody's words or a tool's results bring into a history: `"untrusted"`, what anybody may have written, such as a web page, a mail
 * or a file from elsewhere; `"private"`, what not everybody may read; both; or `"trusted"`, neither of them.
 */
export type Reads = "trusted" | ReadsWord | readonly ReadsWord[];

/** One word of {@link Reads}. */
export type ReadsWord = "untrusted" | "private";

/**
 * How far a call reaches. `"outside"`: somebody else gets what it is given, or something changes that matters, such as a mail, a payment or
 * a command. `"lookup"`: a stranger sees the arguments, and nothing changes, such as a page that is fetched. `"inside"`: neither.
 */
export type Reach = "inside" | "lookup" | "outside";

/**
 * What becomes of a call that reaches out once untrusted content is in the history: `"ask"` as for an approval, `"deny"` it, the model reads
 * why, or `"allow"` it. A call that reaches `"outside"` is one; a `"lookup"` is one if there is also private data of another origin.
 */
export type AfterUntrusted = "ask" | "deny" | "allow";

/** What a result brings, or a function of the validated input and the output, `undefined` when the tool threw. One that throws: both. */
export type ToolReads<Input = unknown, Output = unknown> =
  | Reads
  // As a method, so that tools with other inputs are tools.
  | { of(input: Input, output: Output | undefined): Reads }["of"];

/** How far calls reach, or a function of the validated input. One that throws: `"outside"`. */
export type ToolReach<Input = unknown> = Reach | { of(input: Input, run: ReachContext): Reach }["of"];

/** What is known of a run, for a tool that says how far a call reaches. */
export interface ReachContext {
  /**
   * Whether this whole address stood in what the person wrote, or in an untrusted result: nobody has put anything into it. Said of three
   * addresses of a site at most (the last two labels of a host), since a choice among many tells something.
   */
  readonly seen: (url: string) => boolean;
}

/** What a tool says about untrusted content. Only the author's code sets it: no model, page or server can. */
export interface ToolTrust<Input = unknown, Output = unknown> {
  /** What a result brings into the history, errors that the tool throws included. @defaultValue `["untrusted", "private"]`: nothing is known of it */
  readonly reads?: ToolReads<Input, Output> | undefined;
  /** How far a call reaches. @defaultValue "outside" with `effects: "once"` or `needsApproval`, otherwise "inside" */
  readonly reach?: ToolReach<Input> | undefined;
  /** Names what the tool belongs to, such as a server: a lookup may say there what was read there. @defaultValue none: all is another's */
  readonly origin?: string | undefined;
  /** What becomes of a call that reaches out once untrusted content is in the history. @defaultValue the agent's, whose `"deny"` stands, or "ask" */
  readonly afterUntrusted?: AfterUntrusted | undefined;
  /**
   * Whether somebody else wrote its name, description or schema, such as a server that was not checked: the model has read untrusted content
   * with its first request. That alone does not hold back calls of the same `origin`. @defaultValue false
   */
  readonly untrustedDescription?: boolean | undefined;
}

/** Why a call is asked about, or denied, though its tool may need no approval. Plain JSON, 1 KB at most; none of it is text that was read. */
export interface UntrustedReason {
  readonly reach: Exclude<Reach, "inside">;
  readonly rule: Exclude<AfterUntrusted, "allow">;
  /**
   * Where untrusted content came from, last first: the tool and, as its call said it, a host or a path. Five at most, of 200 characters at
   * most; control characters are escaped.
   */
  readonly untrusted: readonly string[];
  /** Where private data came from: origins, or tools that have none. Five at most. */
  readonly private?: readonly string[] | undefined;
  /** Arguments of the call whose values stand word for word in a result that was untrusted, such as `to` or `lines[0].text`. Five at most. */
  readonly found?: readonly string[] | undefined;
}

/** What was read, as it is recorded; `unknown`: a tool's that is only known by name. */
export type ReadsMark = ReadsWord | "both" | "unknown";

/** What the result of a call brings into the history; nothing when it is trusted. */
export interface ReadByCall {
  readonly reads?: ReadsMark | undefined;
  /** Its tool's. */
  readonly origin?: string | undefined;
}

/** Who read what: one member of what is known of a history. It only ever gets more of them. */
export interface ReadSource {
  /** Name of the tool, or what it was instead, such as `message`; inside an agent's call, behind the name of that tool. */
  readonly tool: string;
  readonly reads: ReadsMark;
  readonly origin?: string | undefined;
  /** It is a tool's description. */
  readonly description?: true | undefined;
}

/** Names of a tool's options about untrusted content. */
export const TRUST = "reads reach origin afterUntrusted untrustedDescription";

/** These options, as they are kept. */
export function trustOf(given: ToolTrust): ToolTrust {
  const names = TRUST.split(" ") as (keyof ToolTrust)[]; // its words
  return present(Object.fromEntries(names.map((name) => [name, given[name]])));
}

const READS: readonly unknown[] = ["trusted", "untrusted", "private"] satisfies Reads[];

/** Rejects what is none of the words. @throws {TypeError} Naming the option and what there is. */
export function checkReads(option: string, given: unknown): void {
  for (const one of [given].flat()) checkValue(option, one, READS);
}

/** What is wrong with such options, if anything is. */
export function describeTrust({ reads, reach, afterUntrusted }: ToolTrust): string | undefined {
  const problem = [reads].flat().map((one) => describeValue("reads", one, READS, "function"));
  return (
    problem.find((one) => one !== undefined) ??
    describeValue("reach", reach, ["inside", "lookup", "outside"], "function") ??
    describeValue("afterUntrusted", afterUntrusted, ["ask", "deny", "allow"])
  );
}

/** How it is recorded; `undefined` for trusted. What is none of the words counts as both. */
export function markOf(reads: unknown): ReadsMark | undefined {
  if (reads === "trusted") return undefined;
  const words = new Set<unknown>([reads].flat());
  if (words.has("untrusted") === words.has("private")) return "both";
  return words.has("private") ? "private" : "untrusted";
}

/** The part of a tool that says what its results bring. */
export interface ReadingTool extends Pick<ToolTrust<never, never>, "reads" | "origin"> {
  /** Its calls read what the runs inside them have read, and nothing else. */
  readonly readsNested?: true | undefined;
}

/** What the results of a tool bring, if nothing is known of the call. */
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

/** Whether anybody may have written it; what is not known is both. */
export function isUntrusted({ reads }: Pick<ReadSource, "reads">): boolean {
  return reads !== "private";
}

/** Whether not everybody may read it. */
export function isPrivate({ reads }: Pick<ReadSource, "reads">): boolean {
  return reads !== "untrusted";
}

/** What contents bring of which no step says it: results by the names of their tools, and files. */
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
  /** What the run has read that wrote it. */
  readonly read?: readonly ReadSource[] | undefined;
}

/** Stands for the caller of a run among its sources, when the message may have something private from there. */
export const CALLER = "caller";

/** What a message brings into the history. */
export function readInput(
  contents: readonly Content[],
  { reads = "trusted", historyReads, read = [] }: InputReads,
): readonly ReadSource[] {
  const found = [...read];
  if (read.some(isPrivate)) addRead(found, { tool: CALLER, reads: "private" });
  const start = historyReads === undefined ? 0 : contents.findLastIndex(({ role }) => role === "model") + 1;
  const said = markOf(reads);
  const before = start === 0 ? undefined : markOf(historyReads);
  if (said !== undefined) addRead(found, { tool: "message", reads: said });
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
