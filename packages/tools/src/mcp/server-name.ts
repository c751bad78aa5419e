import type { McpAddress, McpCommand } from "./server-options.ts";

/**
 * What a server is called in errors and logs: the command with the program it runs, such as `npx -y some-server`, or the
 * address without credentials and query. Other arguments may hold a key and are left out.
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
