import type { McpAddress, McpCommand } from "./server-options.ts";

/**
 * A server's name in errors and logs: the command with the program it runs, such as `npx -y some-server`, or the URL
 * without credentials and query. Other arguments may contain a key and are omitted.
 */
export function serverName(server: McpCommand | McpAddress): string {
  if ("url" in server) {
    const { origin, pathname } = new URL(server.url);
    return `${origin}${pathname}`;
  }
  const { command, args = [] } = server;
  const program = /^(?:-y|--yes)$/.test(args[0] ?? "") ? 1 : 0;
  const shown = args.slice(0, program + 1);
  return [command, ...(shown.at(-1)?.startsWith("-") === true ? [] : shown)].join(" ");
}
