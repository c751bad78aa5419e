/** Environment variables by name. */
export type Environment = { readonly [name: string]: string | undefined };

/** The process's environment at the time of the call; empty where there is no process (browsers, some edge runtimes). */
export function processEnvironment(): Environment {
  const host: { readonly process?: { readonly env?: Environment | undefined } | undefined } = globalThis;
  return host.process?.env ?? {};
}
