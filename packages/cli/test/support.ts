import { EventEmitter } from "node:events";
import { PassThrough, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { CliProcess } from "../src/command.ts";
import { runPollux } from "../src/run-pollux.ts";

/** The program's file. */
export const MAIN: string = fileURLToPath(new URL("../src/main.ts", import.meta.url));

/** How a program ended, and what it wrote. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** How the process of {@link FakeProcess} is set up. */
export interface FakeOptions {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  /** Whether the input comes from a person. @defaultValue false, from a pipe */
  readonly isTyped?: boolean | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** A process that writes into strings, and takes its input and signals from the test. Its environment is empty. */
export class FakeProcess extends EventEmitter implements CliProcess {
  out = "";
  err = "";
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: PassThrough = new PassThrough();
  readonly stdout: CliProcess["stdout"];
  readonly stderr: CliProcess["stderr"] = { write: (text) => (this.err += text) };

  constructor({ env = {}, isTyped = false, ...terminal }: FakeOptions = {}) {
    super();
    Object.assign(this.stdin, { isTTY: isTyped });
    this.env = env;
    const stdout = new Writable({
      decodeStrings: false,
      write: (text: string, _encoding, done) => {
        this.out += text;
        done();
      },
    });
    this.stdout = Object.assign(stdout, terminal);
  }
}

/** Runs the program in this process, with all of its input typed at once. */
export async function runHere(
  args: readonly string[],
  options: FakeOptions & { readonly input?: string | undefined } = {},
): Promise<Ended> {
  const terminal = new FakeProcess(options);
  terminal.stdin.end(options.input ?? "");
  const code = await runPollux(args, terminal);
  return { code, out: terminal.out, err: terminal.err };
}
