import type { CliProcess } from "./command.ts";

/** Progress on standard error: one line that is written anew on a terminal, or else a line every tenth of the way. */
export class ProgressLine {
  readonly #terminal: CliProcess;
  readonly #isLive: boolean;
  #shown = -1;

  constructor(terminal: CliProcess) {
    this.#terminal = terminal;
    this.#isLive = terminal.stdout.isTTY === true;
  }

  /** @param total - Of what is done. @defaultValue 1,000 */
  show(line: string, done: number, total: number = 1000): void {
    if (!this.#isLive && this.#shown !== -1 && done < this.#shown + Math.ceil(total / 10)) return;
    this.#shown = done;
    this.#terminal.stderr.write(this.#isLive ? `\r\u001B[K${line}` : `${line}\n`);
  }

  /** Goes on to the next line; what is shown afterwards begins anew. */
  end(): void {
    if (this.#isLive && this.#shown !== -1) this.#terminal.stderr.write("\n");
    this.#shown = -1;
  }
}
