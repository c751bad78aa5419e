import { endpoint, type FetchLike } from "@pollux/core";

/** One request as the service saw it. */
export interface Seen {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly body?: unknown;
}

const EXPIRES = "2099-01-01T01:00:00Z";

/** A service that keeps caches and answers everything else from a script, as it is documented. */
export function cacheService(
  answers: readonly (readonly object[])[] = [[{ text: "ok" }]],
  kind: "developer" | "vertex" | "gateway" = "developer",
): { readonly seen: Seen[]; readonly fetch: FetchLike; readonly endpoint: ReturnType<typeof endpoint> } {
  const seen: Seen[] = [];
  const caches = new Map<string, Record<string, unknown>>();
  let made = 0;
  let answered = 0;
  const fetch: FetchLike = async (url, init) => {
    const { pathname, search } = new URL(url);
    const text = init.body ? await new Response(init.body).text() : "";
    const body: Record<string, unknown> | undefined = text === "" ? undefined : JSON.parse(text);
    seen.push({ method: init.method ?? "", path: pathname + search, ...(body && { body }) });
    const name = /cachedContents\/\w+$/.exec(pathname)?.[0];
    if (name !== undefined) {
      const cache = caches.get(name);
      if (cache === undefined) return refusal(403, "CachedContent not found (or permission denied)");
      if (init.method === "DELETE") {
        caches.delete(name);
        return Response.json({});
      }
      if (init.method === "PATCH") Object.assign(cache, { expireTime: body?.["expireTime"] ?? "2099-01-01T02:00:00Z" });
      return Response.json(cache);
    }
    if (pathname.endsWith("cachedContents")) {
      if (init.method === "GET") return page(caches, new URL(url).searchParams.get("pageToken"));
      const cache = {
        name: `cachedContents/c${++made}`,
        model: body?.["model"],
        ...(body?.["displayName"] !== undefined && { displayName: body["displayName"] }),
        createTime: "2099-01-01T00:00:00Z",
        updateTime: "2099-01-01T00:00:00Z",
        expireTime: body?.["expireTime"] ?? EXPIRES,
        usageMetadata: { totalTokenCount: 5000 },
      };
      caches.set(cache.name, cache);
      return Response.json(cache);
    }
    const parts = answers[Math.min(answered++, answers.length - 1)];
    const answer = {
      candidates: [{ content: { role: "model", parts }, finishReason: "STOP" }],
      usageMetadata: { promptTokenCount: 5010, cachedContentTokenCount: 5000, totalTokenCount: 5010 },
    };
    return new Response(`data: ${JSON.stringify(answer)}\n\n`);
  };
  return { seen, fetch, endpoint: endpoint({ baseUrl: "https://gemini.example", apiKey: "k", kind }) };
}

/** One cache per page. */
function page(caches: ReadonlyMap<string, unknown>, token: string | null): Response {
  const at = Number(token ?? 0);
  const cachedContents = [...caches.values()].slice(at, at + 1);
  return Response.json({
    ...(cachedContents.length > 0 && { cachedContents }),
    ...(at + 1 < caches.size && { nextPageToken: String(at + 1) }),
  });
}

function refusal(code: number, message: string): Response {
  return Response.json({ error: { code, message, status: "PERMISSION_DENIED" } }, { status: code });
}
