import type { ListenOptions, RunningServer } from "@pollux/core/serving";
import { listen as serve } from "@pollux/core/serving-node";
import { corsHeaders, preflightAnswer } from "./cors.ts";
import { type IncomingRequest, readRequest } from "./incoming-request.ts";

/**
 * Serves an emulator over HTTP, also to pages of other origins.
 *
 * @throws The error of `node:net`, with code `EADDRINUSE` if the port is in use.
 */
export function listen(
  answer: (request: IncomingRequest) => Promise<Response>,
  maxBodyBytes: number,
  options?: ListenOptions,
): Promise<RunningServer> {
  return serve(async (request) => {
    const incoming = await readRequest(request, request.signal, maxBodyBytes);
    const preflight = preflightAnswer(request.method, request.headers);
    if (preflight !== undefined) return preflight;
    const { body, status, statusText, headers } = await answer(incoming);
    const more = Object.entries(corsHeaders(request.headers, headers));
    return new Response(body, { status, statusText, headers: [...headers, ...more] });
  }, options);
}
