import type { OAuthClientProvider } from "@modelcontextprotocol/client";
import { loadOptional } from "@pollux/core/tool";
import { MCP_CLIENT } from "./mcp-tools.ts";

/**
 * Completes a sign-in that {@link mcpTools} began: the server required it, the provider's `redirectToAuthorization` got the sign-in page, and
 * that page has sent the person back. Requests the tokens and passes them to the provider's `saveTokens`; then connect again. It may run
 * in another process, with a provider on the same storage.
 *
 * @param server - The same address and provider.
 * @param callback - The query of the URL that the person was sent back to. Compare its `state` with yours first.
 * @throws {Error} If the authorization server refuses, or the answer comes from another server.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/authorization
 */
export async function finishMcpAuth(
  server: { readonly url: string | URL; readonly auth: OAuthClientProvider },
  callback: URLSearchParams,
): Promise<void> {
  const { finishAuth } = await loadOptional(MCP_CLIENT, () => import("./server-tools.ts"));
  await finishAuth(server, callback);
}
