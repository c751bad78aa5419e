import { fileURLToPath } from "node:url";
import { listen } from "@pollux/core/serving-node";
import { acceptedContent, createMcpHandler, inputRequired, McpServer } from "@modelcontextprotocol/server";
import { z } from "zod/v4";

/** A server of the newest revision of the protocol, over HTTP. */
export interface WholeServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
}

/**
 * Serves a tool that asks the person, and one that counts its calls.
 *
 * @param options - `answer` replaces the server's answer to a request, unless it resolves with undefined.
 */
export async function wholeServer(
  options: {
    readonly port?: number;
    readonly made?: string[];
    answer?(request: Request): Promise<Response | undefined>;
  } = {},
): Promise<WholeServer> {
  const { made = [] } = options;
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: "whole", version: "1" });
    const form = z.object({ seat: z.enum(["window", "aisle"]) });
    server.registerTool("book", { description: "Books." }, (context) => {
      const answer = acceptedContent(context.mcpReq.inputResponses, "seat", form);
      if (context.mcpReq.inputResponses === undefined)
        return inputRequired({
          inputRequests: { seat: inputRequired.elicit({ message: "Which seat?", requestedSchema: form }) },
        });
      return { content: [{ type: "text", text: answer === undefined ? "not booked" : `booked: ${answer.seat}` }] };
    });
    server.registerTool("pay", { description: "Pays." }, () => {
      made.push("paid");
      return { content: [{ type: "text", text: "paid" }] };
    });
    return server;
  });
  const answer = async (request: Request): Promise<Response> =>
    (await options.answer?.(request)) ?? (await handler.fetch(request));
  const web = await listen(answer, { port: options.port });
  return {
    url: `http://127.0.0.1:${web.port}/mcp`,
    port: web.port,
    [Symbol.asyncDispose]: async () => {
      await handler.close();
      await web.close();
    },
  };
}

/** Runs the program that uses a server, in a separate process. */
export const OTHER_PROGRAM: string = fileURLToPath(new URL("other-program.ts", import.meta.url));
