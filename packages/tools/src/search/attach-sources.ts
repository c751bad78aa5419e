import type { ToolContext } from "@pollux/core";
import { NO_USAGE } from "@pollux/core/model";

/** Adds pages to the run's sources, the way the service's own search reports them. */
export function attachSources(
  context: Pick<ToolContext, "attach">,
  query: string,
  pages: readonly { readonly uri: string; readonly title?: string | undefined }[],
): void {
  if (pages.length === 0) return;
  const groundingChunks = pages.map(({ uri, title }) => ({ web: { uri, ...(title === undefined ? {} : { title }) } }));
  context.attach({
    usage: NO_USAGE,
    responses: [
      {
        content: { role: "model", parts: [] },
        finishReason: "STOP",
        usage: NO_USAGE,
        candidate: { finishReason: "STOP", groundingMetadata: { webSearchQueries: [query], groundingChunks } },
        envelope: {},
      },
    ],
  });
}
