import type { ToolContext, Usage } from "@pollux/core";

/** A search of one's own costs the run no tokens. */
const NO_TOKENS: Usage = {
  requests: 0,
  inputTokens: 0,
  cachedTokens: 0,
  outputTokens: 0,
  thoughtTokens: 0,
  toolUseTokens: 0,
  totalTokens: 0,
  contextTokens: 0,
  searchQueries: 0,
  incomplete: false,
};

/** Makes pages sources of the run, the way the service's own search reports them. */
export function attachSources(
  context: Pick<ToolContext, "attach">,
  query: string,
  pages: readonly { readonly uri: string; readonly title?: string | undefined }[],
): void {
  if (pages.length === 0) return;
  const groundingChunks = pages.map(({ uri, title }) => ({ web: { uri, ...(title === undefined ? {} : { title }) } }));
  context.attach({
    usage: NO_TOKENS,
    responses: [
      {
        content: { role: "model", parts: [] },
        finishReason: "STOP",
        usage: NO_TOKENS,
        candidate: { finishReason: "STOP", groundingMetadata: { webSearchQueries: [query], groundingChunks } },
        envelope: {},
      },
    ],
  });
}
