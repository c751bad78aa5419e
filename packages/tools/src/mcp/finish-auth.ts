import type { OAuthClientProvider } from "@modelcontextprotocol/client";
import { loadOptional } from "@pollux/core/tool";
import { MCP_CLIENT } from "./mcp-tools.ts";

/**
 * Ends a sign-in that {@link mcpTools} began: the server wanted one, the provider's `redirectToAuthorization` got the page to send the
 * person to, and that page has led back. Gets the tokens and hands them to the provider's `saveTokens`; then connect again. It may run in
 * another process, with a provider over the same storage.
 *
 * @param server - The same address and provider.
 * @param callback - The query of the address that the person came back to. Compare its `state` with yours before.
 * @throws {Error} If the authorization server refuses, or the answer is another server's.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/authorization
 */
export async function finishMcpAuth(
  server: { readonly url: string | URL; readonly auth: OAuthClientProvider },
  callback: URLSearchParams,
): Promise<void> {
  const { finishAuth } = await loadOptional(MCP_CLIENT, () => import("./server-tools.ts"));
  await finishAuth(server, callback);
}
