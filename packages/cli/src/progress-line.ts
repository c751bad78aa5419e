import type { CliProcess } from "./command.ts";

/**
 * Progress on standard error: one line that is rewritten on a terminal, otherwise a line for every tenth of the work.
 */
export class ProgressLine {
  readonly #terminal: CliProcess;
  readonly #isLive: boolean;
  #shown = -1;

  constructor(terminal: CliProcess) {
    this.#terminal = terminal;
    this.#isLive = terminal.stdout.isTTY === true;
  }

  /** @param total - Amount of work. @defaultValue 1,000 */
  show(line: string, done: number, total: number = 1000): void {
    if (!this.#isLive && this.#shown !== -1 && done < this.#shown + Math.ceil(total / 10)) return;
    this.#shown = done;
    this.#terminal.stderr.write(this.#isLive ? `\r\u001B[K${line}` : `${line}\n`);
  }

  /** Moves to the next line; later progress starts on it. */
  end(): void {
    if (this.#isLive && this.#shown !== -1) this.#terminal.stderr.write("\n");
    this.#shown = -1;
  }
}
