import { createInterface, type Interface } from "node:readline";
import type { CliProcess } from "../command.ts";
import type { RunPrinter } from "../run-printer.ts";

/** The user's input: lines, Ctrl-C, and answers to questions in between. */
export class ChatInput {
  readonly #printer: RunPrinter;
  readonly #process: Pick<CliProcess, "stdin" | "stdout">;
  readonly #interface: Interface;
  /** Listeners that redraw the prompt when the terminal changes its size. */
  readonly #redraws: readonly ((...args: unknown[]) => void)[];
  readonly #typed: string[] = [];
  #wake: (() => void) | undefined;
  #closed = false;
  #leaving = false;
  #asking: ((answer: string) => void) | undefined;
  #lastQuestion: Promise<unknown> = Promise.resolve();
  #answering: { readonly abort: AbortController; readonly say: (text: string) => Promise<void> } | undefined;
  #stopped = false;

  constructor(printer: RunPrinter, terminal: Pick<CliProcess, "stdin" | "stdout">) {
    this.#printer = printer;
    this.#process = terminal;
    const others = new Set(terminal.stdout.listeners("resize"));
    this.#interface = createInterface({ input: terminal.stdin, output: terminal.stdout, prompt: "> " });
    // Listeners are typed as mere functions.
    const listeners = terminal.stdout.listeners("resize") as ((...args: unknown[]) => void)[];
    this.#redraws = listeners.filter((listener) => !others.has(listener));
    this.#interface.on("line", (line) => this.#onLine(line));
    this.#interface.on("close", () => {
      this.#closed = true;
      this.#asking?.("");
      this.#wake?.();
    });
    this.#interface.on("SIGINT", () => this.#onInterrupt());
  }

  /** True if the last answer was stopped by Ctrl-C. */
  get wasStopped(): boolean {
    return this.#stopped;
  }

  /** Prompts, and yields lines until the input ends. */
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

  /** While an answer is being written, no prompt is drawn into it, Ctrl-C aborts the returned signal, and typed lines go to `say`. */
  begin(say: (text: string) => Promise<void>): AbortSignal {
    const abort = new AbortController();
    this.#stopped = false;
    this.#answering = { abort, say };
    for (const redraw of this.#redraws) this.#process.stdout.off("resize", redraw);
    return abort.signal;
  }

  /** The answer has ended. */
  end(): void {
    if (this.#answering !== undefined && !this.#closed)
      for (const redraw of this.#redraws) this.#process.stdout.on("resize", redraw);
    this.#answering = undefined;
    this.#asking?.("");
  }

  /** Asks a question once earlier questions are answered. @returns `undefined` if there is no one to ask. */
  ask(question: string): Promise<string | undefined> {
    const answer = this.#lastQuestion.then(() => this.#askNow(question));
    this.#lastQuestion = answer;
    return answer;
  }

  close(): void {
    this.#interface.close();
  }

  async #askNow(question: string): Promise<string | undefined> {
    const isStopped = this.#answering?.abort.signal.aborted !== false;
    // Text typed before the question was shown doesn't answer it.
    const piped = this.#process.stdin.isTTY === true ? undefined : this.#typed.shift();
    if (isStopped || (this.#closed && piped === undefined)) return undefined;
    this.#printer.endLine();
    this.#process.stdout.write(question);
    const answer = piped ?? (await new Promise<string>((resolve) => (this.#asking = resolve)));
    this.#asking = undefined;
    // A terminal shows what was typed; a pipe does not.
    if (this.#process.stdin.isTTY !== true) this.#process.stdout.write(`${answer.trim()}\n`);
    return answer.trim();
  }

  #onLine(line: string): void {
    if (this.#asking !== undefined) return this.#asking(line);
    const message = line.trim();
    const isForModel = this.#answering !== undefined && message !== "" && !message.startsWith("/");
    // Lines from a pipe are separate messages.
    if (isForModel && this.#process.stdin.isTTY === true) {
      this.#printer.note("(sent to the model with the next request)");
      void this.#answering?.say(line).catch((error: unknown) => this.#printer.line(`not sent: ${String(error)}`));
      return;
    }
    this.#typed.push(line);
    this.#wake?.();
  }

  #onInterrupt(): void {
    if (this.#answering !== undefined) {
      this.#stopped = true;
      this.#answering.abort.abort(new DOMException("stopped by Ctrl-C", "AbortError"));
      this.#asking?.("");
      return;
    }
    if (this.#leaving) return this.close();
    this.#leaving = true;
    this.#printer.note("\nCtrl-C again, Ctrl-D or /exit ends the chat");
    this.#interface.prompt();
  }
}
