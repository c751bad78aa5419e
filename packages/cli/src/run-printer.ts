import { styleText } from "node:util";
import {
  computeCost,
  type Cost,
  type FunctionCall,
  type Part,
  type RunEvent,
  type RunResult,
  type Usage,
} from "@pollux/core";
import { explainUntrusted, isWebUrl } from "@pollux/core/conversation";
import { MarkdownStream } from "./markdown/markdown-stream.ts";
import { readPrices } from "./prices.ts";
import { columnsOf, inOneLine, knownWidth, printable, showsColor, widthOf } from "./terminal-text.ts";
import { type LineLimits, WordWrap } from "./word-wrap.ts";

/** Options of {@link RunPrinter}. */
export interface RunPrinterOptions {
  /** @defaultValue writes to standard output */
  readonly write?: ((text: string) => unknown) | undefined;
  /** @defaultValue whether standard output is a terminal that shows colors, and `NO_COLOR` is not set */
  readonly color?: boolean | undefined;
  /**
   * Columns after which lines break between words; a function is called again for each word, since terminals change their size.
   *
   * @defaultValue the terminal's; without one, lines don't break
   */
  readonly width?: number | (() => number) | undefined;
  /** Columns left empty at the start of each line. @defaultValue 0 */
  readonly indent?: number | undefined;
  /**
   * Shows the Markdown of answers and thoughts: headings, emphasis, lists, code, tables and links. Takes effect with `color` only;
   * otherwise the text is shown unchanged.
   *
   * @defaultValue false
   */
  readonly markdown?: boolean | undefined;
  /** Whether the terminal opens links by OSC 8 codes. If not, addresses stand beside their texts. @defaultValue `color` */
  readonly links?: boolean | undefined;
}

type Color = "cyan" | "dim" | "green" | "red" | "yellow";

/** Events that may occur in the middle of a text, which continues after them. */
const BESIDE_TEXT: ReadonlySet<RunEvent["type"]> = new Set([
  "notice",
  "output-delta",
  "steer",
  "tool-end",
  "tool-progress",
  "tool-retry",
]);

/** Longest line for arguments, results and progress, in characters. */
const LINE_LENGTH = 120;

/**
 * Prints a run to a terminal as it happens: the answer as it arrives, thoughts dimmed, each call with its duration and a short
 * form of its result.
 *
 * @example
 * const printer = new RunPrinter();
 * for await (const event of agent.stream("Hello")) printer.print(event);
 */
export class RunPrinter {
  readonly #write: (text: string) => unknown;
  readonly #color: boolean;
  readonly #links: boolean;
  readonly #limits: LineLimits;
  /** The line that is being written. */
  readonly #line: WordWrap;
  /** The Markdown that is being written; absent while there is none, or where it is shown unchanged. */
  #markdown: MarkdownStream | undefined;
  readonly #rendersMarkdown: boolean;
  #thinking = false;

  constructor(options: RunPrinterOptions = {}) {
    this.#write = options.write ?? ((text) => process.stdout.write(text));
    this.#color = options.color ?? showsColor(process);
    this.#links = options.links ?? this.#color;
    this.#rendersMarkdown = options.markdown === true && this.#color;
    const { width = () => widthOf(process) } = options;
    const widthNow = typeof width === "function" ? width : () => width;
    this.#limits = { width: () => knownWidth(widthNow()) ?? Infinity, indent: options.indent ?? 0 };
    this.#line = new WordWrap(this.#limits);
  }

  /** Prints an event; pass events in the order in which a run reports them. */
  print(event: RunEvent): void {
    const goesOn = event.type === (this.#thinking ? "thought-delta" : "text-delta") || BESIDE_TEXT.has(event.type);
    if (!goesOn) this.endLine();
    switch (event.type) {
      case "text-delta":
        return this.#text(event.delta);
      case "thought-delta":
        this.#thinking = true;
        return this.#text(event.delta);
      case "tool-start":
        // Of a call that the session's log already holds, only the end is shown.
        return event.replayed === true ? this.endLine() : this.#call("→", "cyan", event.call);
      case "untrusted":
        // A question about a call contains the reason.
        return event.because.rule === "deny" ? this.#warn(explainUntrusted(event.because, event)) : this.endLine();
      case "tool-pending":
        return this.#call("?", "yellow", event.call);
      case "tool-progress":
        return this.note(`  … ${inOneLine(event.progress, this.#roomAfter("  … "))}`);
      case "tool-retry":
        return this.#warn(`${printable(event.name)} failed and is tried again in ${event.delayMs} ms`);
      case "tool-end": {
        const { outcome, call, durationMs } = event;
        const mark = outcome.ok ? this.#style("green", "✓") : this.#style("red", "✗");
        const when = event.replayed === true ? "done before, not run again" : `${durationMs} ms`;
        const start = `${mark} ${printable(call.name)} ${this.dim(when)}  `;
        this.line(
          start + (outcome.ok ? inOneLine(outcome.output, this.#roomAfter(start)) : printable(outcome.message)),
        );
        return;
      }
      case "part":
        return this.#part(event.part);
      case "notice":
        return this.#warn(describeNotice(event.notice));
      case "discard":
        return this.#warn(`the answer was interrupted and starts over: ${event.reason}`);
      case "recover":
        return this.#warn(`asking again (${event.problem})`);
      case "compact":
        return this.note(`(the oldest ${event.replaced} messages are summarized from here on)`);
      case "handoff":
        return this.note(`(${printable(event.to)} takes over from ${printable(event.from)})`);
      case "prefix-break":
        return this.note(`(the cache of the prompt starts over: ${event.fields.join(", ")} changed)`);
      case "guardrail": {
        const what = event.side === "input" ? "the message" : "the answer";
        const reason = event.reason === undefined ? "" : `: ${event.reason}`;
        const did = { stop: "stopped", replace: "replaced", answer: "answered" }[event.action];
        return this.#warn(`${event.name} ${did} ${what}${reason}`);
      }
      case "output-delta":
      case "steer":
        return;
      case "checking":
        return this.note("(the answer is checked before it is shown)");
      case "call-args-delta":
      case "run-start":
      case "turn-start":
      case "response":
      case "turn-end":
      case "run-end":
        return this.endLine();
    }
  }

  /** Prints the sources of a run, one per line; a terminal opens their addresses, which are long, on a click. */
  sources({ sources }: Pick<RunResult<unknown>, "sources">): void {
    for (const { number, title, uri, pageNumber } of sources) {
      const page = pageNumber === undefined ? "" : `, page ${pageNumber}`;
      const [name, address] = [printable(title ?? "untitled") + page, printable(uri ?? "")];
      const link =
        this.#links && isWebUrl(address) ? `\u001b]8;;${address}\u0007${name}\u001b]8;;\u0007` : `${name}  ${address}`;
      this.line(`${this.#style("cyan", `[${number}]`)} ${this.dim(address === "" ? name : link)}`);
    }
  }

  /** Prints a dimmed line. */
  note(text: string): void {
    this.line(this.dim(text));
  }

  /** Prints a line. */
  line(text: string): void {
    if (this.#markdown === undefined) this.endLine();
    else this.#write(this.#markdown.breakLine());
    this.#write(this.#line.push(text) + this.#line.endLine());
  }

  /** Ends an unfinished line. */
  endLine(): void {
    if (this.#markdown !== undefined) this.#write(this.#markdown.end());
    this.#markdown = undefined;
    if (this.#line.isMidLine) this.#show(this.#line.endLine());
    this.#thinking = false;
  }

  /** A text in the color of secondary information. */
  dim(text: string): string {
    return this.#style("dim", text);
  }

  #call(mark: string, color: Color, { name, args = {} }: Pick<FunctionCall, "name" | "args">): void {
    const start = `${this.#style(color, mark)} ${printable(name)} `;
    this.line(start + this.dim(inOneLine(args, this.#roomAfter(start))));
  }

  #part({ toolCall, executableCode, codeExecutionResult, inlineData }: Part): void {
    if (toolCall !== undefined) this.#call("→", "cyan", { name: toolCall.toolType, args: toolCall.args });
    if (executableCode !== undefined) this.note(printable(executableCode.code));
    if (codeExecutionResult !== undefined)
      this.note(printable(`${codeExecutionResult.outcome}: ${codeExecutionResult.output ?? ""}`));
    if (inlineData !== undefined) this.note(`(${printable(inlineData.mimeType)})`);
  }

  #warn(text: string): void {
    this.line(this.#style("yellow", printable(text)));
  }

  #text(delta: string): void {
    const text = printable(delta);
    if (!this.#rendersMarkdown) return this.#show(this.#line.push(text));
    this.#markdown ??= new MarkdownStream({
      ...this.#limits,
      links: this.#links,
      styles: this.#thinking ? ["dim"] : [],
    });
    this.#write(this.#markdown.push(text));
  }

  /** Writes a piece of an answer or a thought as it came. */
  #show(text: string): void {
    if (text !== "") this.#write(this.#thinking ? text.replaceAll(/[^\n]+/g, (line) => this.dim(line)) : text);
  }

  /** Characters that fit on the line after its start. */
  #roomAfter(start: string): number {
    return Math.max(20, Math.min(LINE_LENGTH, this.#limits.width() - this.#limits.indent - columnsOf(start)));
  }

  #style(color: Color, text: string): string {
    // The color setting is already known; a test's stream is not one that Node could query.
    return this.#color ? styleText(color, text, { validateStream: false }) : text;
  }
}

function describeNotice(notice: Extract<RunEvent, { type: "notice" }>["notice"]): string {
  if (notice.type === "heal") return `adjusted the request: ${notice.detail}`;
  const what = notice.type === "retry" ? "retrying" : "waiting, then continuing";
  return `${what} in ${notice.delayMs} ms: ${notice.error.message}`;
}

/**
 * Tokens in one line, and their cost where it is known.
 *
 * @param cost - A result or the state of a session, of an agent with prices; or prices of the only model, `INPUT,OUTPUT` per million
 *   tokens. @defaultValue `POLLUX_PRICES` of the environment
 * @example
 * ```ts
 * const { usage, cost } = await agent.run("Hello");
 * console.log(formatUsage(usage, cost === undefined ? undefined : { cost }));
 * ```
 */
export function formatUsage(usage: Usage, cost: string | Cost | undefined = process.env["POLLUX_PRICES"]): string {
  const count = (tokens: number): string => tokens.toLocaleString("en-US");
  const tokens = `${count(usage.inputTokens)} in (${count(usage.cachedTokens)} cached), ${count(usage.outputTokens)} out, ${count(usage.thoughtTokens)} thinking; ${count(usage.totalTokens)} tokens in ${usage.requests} ${usage.requests === 1 ? "request" : "requests"}`;
  const prices = typeof cost === "object" ? undefined : readPrices(cost);
  const priced =
    typeof cost === "object" ? cost : { cost: prices && "input" in prices ? computeCost(usage, prices) : undefined };
  if (priced.cost === undefined) return tokens;
  return `${tokens}; cost ${priced.cost.toFixed(6)}${priced.pricesAsOf === undefined ? "" : ` (prices of ${priced.pricesAsOf})`}`;
}
