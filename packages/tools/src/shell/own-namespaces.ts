import { execFile } from "node:child_process";

/** Most milliseconds for the attempt; it usually takes a few. */
const ATTEMPT_MS = 10_000;

/**
 * util-linux's `unshare`, in a user namespace, so that it needs no privileges. The first process of a process namespace ignores
 * SIGTERM, and everything in the namespace ends with it; an extra shell takes that place, so the command is an ordinary process.
 */
const UNSHARE: readonly string[] = [
  "unshare",
  "--user",
  "--map-current-user",
  "--pid",
  "--fork",
  "--kill-child",
  "--mount-proc",
  "--",
  "/bin/sh",
  "-c",
  '"$@"; exit $?',
  "sh",
];

/** The command line that runs a program in user, process and mount namespaces of its own. */
export function inOwnNamespaces(program: string, args: readonly string[]): readonly [string, readonly string[]] {
  const [unshare = "", ...rest] = UNSHARE;
  return [unshare, [...rest, program, ...args]];
}

/** Tries whether {@link inOwnNamespaces} works on this system. */
export async function hasOwnNamespaces(env: Record<string, string>): Promise<boolean> {
  if (process.platform !== "linux") return false;
  const [program, args] = inOwnNamespaces("/bin/sh", ["-c", '[ "$PPID" = 1 ] && [ -r /proc/self/stat ]']);
  return await new Promise((resolve) => {
    execFile(program, [...args], { env, timeout: ATTEMPT_MS, killSignal: "SIGKILL" }, (error) =>
      resolve(error === null),
    );
  });
}
