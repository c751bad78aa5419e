import type { ExchangeDetails } from "../inspection/exchange-details.ts";
import { requestAddress } from "../inspection/read-values.ts";
import type { TakenFile } from "../inspection/results.ts";

/** Headers that matter to the service. `curl` sets the others itself. */
const SENT = /^(?:accept|content-type|x-goog-(?!api-key)[\w-]+)$/i;
/** Stands for a removed secret. */
const REDACTED = /\[redacted\]/;

/**
 * A shell script that sends a kept request again, with a key from the environment: `GEMINI_API_KEY` for Google's Developer API and
 * servers of this machine, `GOOGLE_ACCESS_TOKEN` if Google got a token, `API_KEY` for any other host.
 */
export function curlOf({ request, row }: ExchangeDetails): TakenFile {
  const url = requestAddress(row.url);
  const sent = Object.entries(request.headers);
  const auth = authOf(url, sent);
  const headers = sent.filter(([name, value]) => SENT.test(name) && !REDACTED.test(value));
  if (!headers.some(([name]) => name.toLowerCase() === "content-type") && request.body !== "")
    headers.push(["content-type", "application/json"]);
  const method = row.method.replaceAll(/[^A-Za-z]/g, "") || "POST";
  const lines = [
    // A URL may have brackets, and an answer may be a stream.
    `curl --globoff --no-buffer --request ${method} \\`,
    `  --url ${quoted(withoutKey(url).href)} \\`,
    ...headers.map(([name, value]) => `  --header ${quoted(`${name}: ${oneLine(value)}`)} \\`),
    `  --header "${auth.header}: ${auth.prefix}$${auth.variable}" \\`,
  ];
  const body = heredoc(request.body);
  const text = [
    "#!/bin/sh",
    `# Request ${row.n}, ${oneLine(row.step)}.`,
    `# Needs ${auth.variable}: ${auth.what}.`,
    `: "\${${auth.variable}:?${auth.what}}"`,
    ...(request.body === "" ? [...lines.slice(0, -1), (lines.at(-1) ?? "").replace(/ \\$/, "")] : [...lines, ...body]),
    "",
  ].join("\n");
  return { name: `request-${row.n}.sh`, text };
}

interface Auth {
  readonly header: string;
  readonly prefix: string;
  readonly variable: string;
  /** Describes the value of the variable. */
  readonly what: string;
}

/** Each kind of host has its own variable, so that a Google key only goes to Google. */
function authOf({ hostname }: URL, headers: readonly (readonly [name: string, value: string])[]): Auth {
  const isBearer = headers.some(([name, value]) => name.toLowerCase() === "authorization" && /^bearer /i.test(value));
  const isGoogle = hostname === "googleapis.com" || hostname.endsWith(".googleapis.com");
  const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
  const [header, prefix] = isBearer ? ["authorization", "Bearer "] : ["x-goog-api-key", ""];
  if (isGoogle && isBearer)
    return { header, prefix, variable: "GOOGLE_ACCESS_TOKEN", what: "a token of gcloud auth print-access-token" };
  if (isGoogle || isLocal) return { header, prefix, variable: "GEMINI_API_KEY", what: "a key of the Gemini API" };
  return { header, prefix, variable: "API_KEY", what: `a key for ${hostname.replaceAll(/[^\w.-]/g, "")}` };
}

function withoutKey(url: URL): URL {
  const clean = new URL(url);
  clean.searchParams.delete("key");
  clean.searchParams.delete("access_token");
  clean.username = "";
  clean.password = "";
  return clean;
}

/** The verbatim body as a here document, since it may be too long for an argument. */
function heredoc(body: string): readonly string[] {
  let end = "BODY";
  while (body.includes(end)) end += "_";
  return [`  --data-binary @- <<'${end}'`, body, end];
}

export function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** A log can hold anything; a line break would end the comment or the header. */
function oneLine(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f\u2028\u2029]+/g, " ");
}
