import { gemini, type GeminiModel } from "../model/gemini-model.ts";
import type { Model } from "../model/model.ts";
import { endpoint } from "../wire/endpoints/endpoint.ts";
import type { SentRequest } from "./kept-requests.ts";

/** Answers the HTTP requests of a run. */
export type Answer = (sent: SentRequest) => Response;

/** Makes models that build the requests of others, and send them to a recording. One of a run learns what that run's model learned. */
export function replicas(): (asked: Model, runId: string, answer: Answer) => Model {
  const made = new WeakMap<Model, Map<string, GeminiModel>>();
  return (asked, runId, answer) => {
    const own = made.get(asked) ?? new Map<string, GeminiModel>();
    made.set(asked, own);
    const replica = own.get(runId) ?? replicaOf(asked, answer);
    own.set(runId, replica);
    return replica;
  };
}

function replicaOf(
  { id, capabilities, endpointKind, streams = true, maxRequestBytes }: Model,
  answer: Answer,
): GeminiModel {
  return gemini(id, {
    // Never asked for anything.
    endpoint: endpoint({ baseUrl: "http://replay.invalid", auth: "none", kind: endpointKind ?? "developer" }),
    capabilities,
    transport: streams ? "stream" : "unary",
    maxRequestBytes,
    // What became of the attempts is recorded.
    retry: { maxAttempts: 1 },
    fetch: async (url, init) => {
      const body = new Uint8Array(await new Response(init?.body).arrayBuffer());
      return answer({ method: init?.method ?? "GET", url, body });
    },
  });
}
