import type { Profile } from "../validate/types.ts";

const JSON_TYPE = "application/json; charset=UTF-8";

/** Headers of an answer, as the service of this profile sends them. */
export function answerHeaders(profile: Profile, contentType: string = JSON_TYPE): Record<string, string> {
  const gateway = profile === "comet" || profile === "old-proxy";
  return {
    "content-type": contentType,
    ...(contentType === "text/event-stream" && !gateway && { "content-disposition": "attachment" }),
    vary: "Origin",
    server: gateway ? "nginx" : "scaffolding on HTTPServer2",
  };
}
