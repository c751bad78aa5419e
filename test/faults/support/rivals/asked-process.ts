import { once } from "node:events";
import { flushCompileCache } from "node:module";
import { deferred } from "../../../../packages/core/test/helpers/deferred.ts";
import { startProgram } from "../processes.ts";

/** A message of a request-driven process: ready, an unhandled rejection, a notice, or an answer. */
type Said =
  | { readonly ready: true }
  | { readonly unheard: string }
  | { readonly notice: unknown }
  | { readonly number: number; readonly value: unknown }
  | { readonly number: number; readonly failed: string };

/** The messages between such a process and its parent. */
export interface Protocol {
  readonly request: object;
  /** Its notices. */
  readonly notice: unknown;
}

/** A request-driven process. */
export interface AskedProcess<Request> extends AsyncDisposable {
  /** Sends a request, which stays unanswered if the process dies. */
  readonly ask: <Result>(request: Request) => Promise<Result>;
  readonly pause: () => void;
  readonly wake: () => void;
  /** Kills it like a crash. */
  readonly kill: () => Promise<void>;
  /** Resolves when it has ended. */
  readonly exit: Promise<unknown>;
  /** Unhandled rejections. */
  readonly unheard: readonly string[];
}

/** Starts a program that calls {@link obey}. @param onNotice - Called with its notices. */
export async function startAsked<Spoken extends Protocol>(
  program: URL,
  execArgv: readonly string[],
  args: readonly string[],
  onNotice: (notice: Spoken["notice"]) => void,
): Promise<AskedProcess<Spoken["request"]>> {
  const child = startProgram(program, execArgv, args);
  const exit = once(child, "exit");
  const asked = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  const unheard: string[] = [];
  const ready = deferred();
  child.on("message", (said: Said) => {
    if ("ready" in said) ready.resolve();
    else if ("notice" in said) onNotice(said.notice);
    else if ("unheard" in said) unheard.push(said.unheard);
    else {
      const waiting = asked.get(said.number);
      asked.delete(said.number);
      if ("failed" in said) waiting?.reject(new Error(said.failed));
      else waiting?.resolve(said.value);
    }
  });
  let count = 0;
  await Promise.race([
    ready.promise,
    exit.then(() => {
      throw new Error(`${program.pathname} ended before it was ready`);
    }),
  ]);
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exit;
  };
  return {
    ask: <Result>(request: Spoken["request"]) =>
      new Promise<Result>((resolve, reject) => {
        const number = ++count;
        // The request determines the type of the answer.
        asked.set(number, { resolve: (value) => resolve(value as Result), reject });
        child.send({ number, ...request });
      }),
    pause: () => void child.kill("SIGSTOP"),
    wake: () => void child.kill("SIGCONT"),
    kill,
    exit,
    unheard,
    [Symbol.asyncDispose]: kill,
  };
}

/** The other side: answers requests until the parent is gone. @returns A function that sends a notice. */
export function obey<Spoken extends Protocol>(
  answer: (request: Spoken["request"]) => Promise<unknown>,
): (notice: Spoken["notice"]) => void {
  const say = (said: Said): void => void process.send?.(said);
  process.on("unhandledRejection", (error) => say({ unheard: String(error) }));
  process.on("message", ({ number, ...request }: Spoken["request"] & { readonly number: number }) => {
    void answer(request).then(
      (value) => say({ number, value }),
      (error: unknown) => say({ number, failed: String(error instanceof Error ? error.stack : error) }),
    );
  });
  process.on("disconnect", () => process.exit());
  flushCompileCache();
  say({ ready: true });
  return (notice) => say({ notice });
}
