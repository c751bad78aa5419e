import { stripVTControlCharacters, styleText } from "node:util";
import type { RunEvent, RunResult, Usage } from "@pollux/core";

/** Writes a run to a terminal while it happens: thoughts dim, calls with their duration, results short. */
export class RunPrinter {
  readonly #write: (text: string) => void;
  /** True when the last thing written did not end its line. */
  #midLine = false;
  #thinking = false;

  constructor(write: (text: string) => void = (text) => void process.stdout.write(text)) {
    this.#write = write;
  }

  print(event: RunEvent): void {
    if (event.type !== "thought-delta" && this.#thinking) this.endLine();
    switch (event.type) {
      case "text-delta":
        return this.#text(printable(event.delta));
      case "thought-delta":
        this.#thinking = true;
        return this.#text(dim(printable(event.delta)));
      case "tool-start":
        return this.line(`${styleText("cyan", "→")} ${event.call.name} ${dim(short(event.call.args ?? {}))}`);
      case "tool-progress":
        return this.line(dim(`  … ${short(event.progress)}`));
      case "tool-end": {
        const { outcome, call, durationMs } = event;
        const mark = outcome.ok ? styleText("green", "✓") : styleText("red", "✗");
        return this.line(
          `${mark} ${call.name} ${dim(`${durationMs} ms`)}  ${outcome.ok ? short(outcome.output) : printable(outcome.message)}`,
        );
      }
      case "part":
        if (event.part.toolCall !== undefined)
          this.line(
            `${styleText("cyan", "→")} ${event.part.toolCall.toolType} ${dim(short(event.part.toolCall.args ?? {}))}`,
          );
        if (event.part.executableCode !== undefined) this.line(dim(printable(event.part.executableCode.code)));
        if (event.part.codeExecutionResult !== undefined)
          this.line(
            dim(`${event.part.codeExecutionResult.outcome}: ${printable(event.part.codeExecutionResult.output ?? "")}`),
          );
        if (event.part.inlineData !== undefined) this.line(dim(`(${event.part.inlineData.mimeType})`));
        return;
      case "notice":
        return this.line(
          styleText(
            "yellow",
            event.notice.type !== "heal"
              ? `${event.notice.type === "retry" ? "retrying" : "waiting, and going on"} in ${event.notice.delayMs} ms: ${event.notice.error.message}`
              : `adjusted the request: ${event.notice.detail}`,
          ),
        );
      case "discard":
        return this.line(styleText("yellow", `the answer broke off and begins again: ${event.reason}`));
      case "recover":
        return this.line(styleText("yellow", `asking again (${event.problem})`));
      case "compact":
        return this.line(dim(`(the oldest ${event.replaced} messages are summed up from here on)`));
      case "tool-pending":
        return this.line(`${styleText("yellow", "?")} ${event.call.name} ${dim(short(event.call.args ?? {}))}`);
      case "steer":
      case "call-args-delta":
      case "run-start":
      case "turn-start":
      case "response":
      case "turn-end":
      case "run-end":
        return this.endLine();
    }
  }

  /** A line of its own. */
  line(text: string): void {
    this.endLine();
    this.#write(`${text}\n`);
  }

  /** Ends a line that was begun. */
  endLine(): void {
    if (this.#midLine) this.#write("\n");
    this.#midLine = false;
    this.#thinking = false;
  }

  #text(text: string): void {
    if (text === "") return;
    this.#write(text);
    this.#midLine = !stripVTControlCharacters(text).endsWith("\n");
  }
}

/** The sources of a run as numbered lines; empty when there are none. */
export function sourceLines(result: RunResult<unknown>): string[] {
  return result.sources.map(
    ({ number, title, uri }) =>
      `[${number}] ${printable(title ?? "untitled")}${uri === undefined ? "" : dim(`  ${printable(uri)}`)}`,
  );
}

/** Tokens of a run in one line, and what they cost when `POLLUX_PRICES=INPUT,OUTPUT` (money per million tokens) is set. */
export function usageLine(usage: Usage, prices: string | undefined = process.env["POLLUX_PRICES"]): string {
  const count = (tokens: number): string => tokens.toLocaleString("en-US");
  const tokens = `${count(usage.inputTokens)} in (${count(usage.cachedTokens)} cached), ${count(usage.outputTokens)} out, ${count(usage.thoughtTokens)} thinking; ${count(usage.totalTokens)} tokens in ${usage.requests} requests`;
  const [input, output] = (prices ?? "").split(",").map(Number);
  if (input === undefined || output === undefined || Number.isNaN(input + output)) return tokens;
  const cost =
    ((usage.inputTokens + usage.toolUseTokens) * input + (usage.outputTokens + usage.thoughtTokens) * output) /
    1_000_000;
  return `${tokens}; cost ${cost.toFixed(6)}`;
}

export function dim(text: string): string {
  return styleText("dim", text);
}

/** A value in one line of at most 120 characters. */
function short(value: unknown): string {
  const text = printable(
    (typeof value === "string" ? value : (JSON.stringify(value) ?? String(value))).replaceAll(/\s+/g, " "),
  );
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}

/** What a model or a tool says must not move the cursor or recolour the screen. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "");
}
