import { type ChildProcess, spawn } from "node:child_process";
import { onTestFinished } from "vitest";
import { bundledProgram } from "../../../../test/support/bundled-program.ts";

/** What a process of `store-program.ts` is to do. */
export interface ProgramOrder {
  readonly do: "migrate" | "append" | "watch" | "glance" | "work" | "talk";
  readonly url: string;
  readonly schema: string;
  readonly id: string;
  readonly name?: string | undefined;
  /** How many appends. */
  readonly count?: number | undefined;
  /** Appends more until {@link Program.finish}. */
  readonly goesOn?: boolean | undefined;
  readonly pollMs?: number | undefined;
}

/** What it says. */
export type Said =
  | { readonly is: "ready" | "changed" | "ended" }
  | { readonly is: "working"; readonly callId: string }
  | { readonly is: "done"; readonly appends: number; readonly conflicts: number; readonly failures: number }
  | { readonly is: "failed"; readonly name: string; readonly message: string; readonly typed: boolean };

/** A process that works with a store. */
export interface Program {
  /** The next thing that it says; rejects when it ends without a word. */
  readonly next: () => Promise<Said>;
  /** Lets it come to its end. */
  readonly finish: () => void;
  /** `kill -9`, and waits until it is gone. */
  readonly kill: () => Promise<void>;
  /** Its exit code, `null` when it was killed. */
  readonly gone: Promise<number | null>;
}

const PROGRAM = bundledProgram(new URL("./store-program.ts", import.meta.url));

/** Starts a process; it is killed with its test. */
export function startProgram(order: ProgramOrder): Program {
  const child: ChildProcess = spawn(process.execPath, ["--conditions=pollux-source", PROGRAM, JSON.stringify(order)], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let written = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => (written += chunk.toString()));
  const said: Said[] = [];
  let wake = (): void => {};
  let isGone = false;
  // What is sent by `store-program.ts`.
  child.on("message", (one) => {
    said.push(one as Said);
    wake();
  });
  const gone = new Promise<number | null>((resolve) =>
    child.once("close", (code) => {
      isGone = true;
      wake();
      resolve(code);
    }),
  );
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await gone;
  };
  onTestFinished(kill);
  return {
    gone,
    finish: () => void (child.connected && child.send("finish")),
    kill,
    next: async () => {
      for (;;) {
        const one = said.shift();
        if (one !== undefined) return one;
        if (isGone) throw new Error(`the process ended without a word:\n${written}`);
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}
