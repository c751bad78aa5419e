import { createInterface, type Interface } from "node:readline";
import type { CliProcess } from "../command.ts";
import type { RunPrinter } from "../run-printer.ts";

/** The person at the terminal: what is typed, Ctrl-C, and questions asked in between. */
export class ChatInput {
  readonly #printer: RunPrinter;
  readonly #process: Pick<CliProcess, "stdin" | "stdout">;
  readonly #interface: Interface;
  readonly #typed: string[] = [];
  #wake: (() => void) | undefined;
  #closed = false;
  #leaving = false;
  #asking: ((answer: string) => void) | undefined;
  #answering: { readonly abort: AbortController; readonly say: (text: string) => Promise<void> } | undefined;
  #stopped = false;

  constructor(printer: RunPrinter, terminal: Pick<CliProcess, "stdin" | "stdout">) {
    this.#printer = printer;
    this.#process = terminal;
    this.#interface = createInterface({ input: terminal.stdin, output: terminal.stdout, prompt: "> " });
    this.#interface.on("line", (line) => this.#onLine(line));
    this.#interface.on("close", () => {
      this.#closed = true;
      this.#asking?.("");
      this.#wake?.();
    });
    this.#interface.on("SIGINT", () => this.#onInterrupt());
  }

  /** True when the last answer was ended by Ctrl-C. */
  get wasStopped(): boolean {
    return this.#stopped;
  }

  /** Prompts, and yields what is typed until the input ends. */
  async *lines(): AsyncGenerator<string, void, void> {
    for (;;) {
      const line = this.#typed.shift();
      if (line !== undefined) {
        this.#leaving = false;
        yield line;
      } else if (this.#closed) return;
      else {
        this.#interface.prompt();
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    }
  }

  /** An answer is being written: Ctrl-C aborts the signal that is returned, and what is typed goes to `say`. */
  begin(say: (text: string) => Promise<void>): AbortSignal {
    const abort = new AbortController();
    this.#stopped = false;
    this.#answering = { abort, say };
    return abort.signal;
  }

  end(): void {
    this.#answering = undefined;
  }

  /** A question whose answer is yes or no; no where there is nobody to answer. */
  async ask(question: string): Promise<boolean> {
    if (this.#closed && this.#typed.length === 0) return false;
    this.#printer.endLine();
    this.#process.stdout.write(question);
    const answer = this.#typed.shift() ?? (await new Promise<string>((resolve) => (this.#asking = resolve)));
    this.#asking = undefined;
    return /^y(?:es)?$/i.test(answer.trim());
  }

  close(): void {
    this.#interface.close();
  }

  #onLine(line: string): void {
    if (this.#asking !== undefined) return this.#asking(line);
    // What comes through a pipe is one message after the other.
    if (this.#answering !== undefined && this.#process.stdin.isTTY === true && line.trim() !== "") {
      this.#printer.note("(said to the model with its next request)");
      void this.#answering.say(line).catch((error: unknown) => this.#printer.line(`not said: ${String(error)}`));
      return;
    }
    this.#typed.push(line);
    this.#wake?.();
  }

  #onInterrupt(): void {
    if (this.#answering !== undefined) {
      this.#stopped = true;
      return this.#answering.abort.abort(new DOMException("stopped by Ctrl-C", "AbortError"));
    }
    if (this.#leaving) return this.close();
    this.#leaving = true;
    this.#printer.note("\nCtrl-C again, Ctrl-D or /exit ends the chat");
    this.#interface.prompt();
  }
}
