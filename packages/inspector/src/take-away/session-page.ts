import { isWebUrl } from "@pollux/core/conversation";
import { redact } from "@pollux/core/wire";
import { formatCost } from "../inspection/cost.ts";
import { callsIn } from "../inspection/answer-calls.ts";
import { type Fields, fieldsOf, listOf, textOf } from "../inspection/read-values.ts";
import type { TurnRow } from "../inspection/inspection.ts";
import type { TakenFile } from "../inspection/results.ts";
import type { RunFold } from "../inspection/run-fold.ts";
import type { SessionFold } from "../inspection/session-fold.ts";
import { lastResponse, outcomeOfCall, stepsOf, type TurnStep } from "../inspection/turn-step.ts";
import { fileName } from "./session-file.ts";
import { sourcesOf } from "../inspection/turn-citations.ts";
import type { WithoutPeople } from "./without-people.ts";

/** Most characters of a text or value on the page. */
const MAX_TEXT = 100_000;

/**
 * A session as one HTML file to open from a disk: no scripts, network, keys or signatures. It shows the conversation, the calls and the
 * cost, and escapes all texts. Turns have the same address after the `#` as in the inspector.
 *
 * @param taken - Counts of the texts removed from the fold, if any: then the page doesn't show its title either.
 */
export function sessionPage(
  fold: SessionFold,
  madeAt: number,
  taken?: Pick<WithoutPeople, "whole" | "repeated">,
): TakenFile {
  const overview = fold.overview();
  const title = fold.title === "" || taken !== undefined ? fold.id : fold.title;
  const facts = [
    fold.id,
    overview.ending ?? overview.state,
    count(fold.runs.length, "run"),
    `${overview.usage.totalTokens.toLocaleString("en-US")} tokens`,
    overview.cost !== undefined &&
      `cost ${formatCost(overview, overview.currency)}${overview.pricesAsOf === undefined ? "" : ` (prices of ${overview.pricesAsOf})`}`,
  ].filter((fact) => fact !== false);
  const text = [
    "<!doctype html>",
    `<html lang="en">`,
    "<head>",
    `<meta charset="utf-8">`,
    `<meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">`,
    `<meta name="viewport" content="width=device-width, initial-scale=1">`,
    `<meta name="referrer" content="no-referrer">`,
    `<title>${escaped(title)}</title>`,
    `<style>${PAGE_STYLE}</style>`,
    "</head>",
    "<body>",
    `<header><h1>${escaped(title)}</h1><p>${facts.map(escaped).join(" · ")}</p></header>`,
    ...(taken === undefined ? [] : [takenNote(taken)]),
    "<main>",
    ...fold.runs.map((run, index) => runSection(fold, run, index)),
    "</main>",
    `<footer>Saved by pollux inspect on ${escaped(timeOf(madeAt))}.</footer>`,
    "</body>",
    "</html>",
    "",
  ].join("\n");
  // The server also removes the secrets that it knows.
  return { name: `${fileName(fold.id)}.html`, text: redact(text, NO_SECRETS) };
}

const NO_SECRETS: readonly string[] = [];

function takenNote({ whole, repeated }: Pick<WithoutPeople, "whole" | "repeated">): string {
  const repeats = `${count(repeated, "other text")} that repeated four words of them, a number or an address`;
  const rest = "Media are not in this file. Names and paraphrases may remain";
  return `<p class="taken">People's words were removed: ${count(whole, "text")}, and passages of ${repeats}. ${rest}.</p>`;
}

function runSection(fold: SessionFold, run: RunFold, index: number): string {
  const { entry, end } = run;
  const row = run.row(index === fold.runs.length - 1, "cut-off", 0);
  const ending = textOf(end?.["stopReason"]) ?? "no end in the log";
  const error = fieldsOf(end?.["error"]);
  return [
    "<section>",
    `<h2>Run ${index + 1}</h2>`,
    `<p class="facts">${[textOf(entry["model"]) ?? "", timeOf(row.at), ending, ...(run.isTakenBack ? ["taken back"] : [])].map(escaped).join(" · ")}</p>`,
    ...listOf(entry["input"]).map((content) => message("user", partsOf(content))),
    ...[...run.turns.values()].map((turn) => turnArticle(fold.id, turn.row(), stepsOf(fold, turn))),
    message("model", partsOf(end?.["interrupted"])),
    ...(typeof error["message"] === "string" ? [`<p class="error">${escaped(error["message"])}</p>`] : []),
    "</section>",
  ].join("\n");
}

function turnArticle(
  session: string,
  { number, turn, usage: { totalTokens: tokens } }: TurnRow,
  steps: readonly TurnStep[],
): string {
  const response = lastResponse(steps);
  const calls = callsIn(response);
  // The same as on the inspector's page.
  const address = `/s/${encodeURIComponent(session)}/t/${number}`;
  return [
    `<article id="${escaped(address)}">`,
    `<h3><a href="#${escaped(address)}">Turn ${number === 0 ? "without an answer" : number}</a>${tokens === undefined ? "" : `<span>${tokens.toLocaleString("en-US")} tokens</span>`}</h3>`,
    message("model", partsOf(response["content"])),
    ...calls.map(({ call }, index) => callBox(call, outcomeOfCall(`call:${turn}.${index}`, steps))),
    ...sources(response),
    ...steps
      .filter(({ error }) => error !== undefined)
      .map(({ name, error }) => `<p class="error">${escaped(`${name}: ${textOf(error?.["message"]) ?? ""}`)}</p>`),
    "</article>",
  ].join("\n");
}

function message(role: "user" | "model", parts: readonly string[]): string {
  return parts.length === 0 ? "" : `<div class="${role}">${parts.join("\n")}</div>`;
}

/** The parts of a content as HTML; calls follow below, with their outcomes. */
function partsOf(content: unknown): readonly string[] {
  return listOf(fieldsOf(content)["parts"]).flatMap((part): readonly string[] => {
    const { thoughtSignature: _, text, thought, functionCall, functionResponse, inlineData, ...rest } = fieldsOf(part);
    if (typeof text === "string" && text !== "")
      return thought === true
        ? [details("Thought", escaped(shortened(text)))]
        : [`<p class="text">${escaped(shortened(text))}</p>`];
    if (functionCall !== undefined || functionResponse !== undefined) return [];
    if (inlineData !== undefined) return [`<p class="media">${escaped(mediaLine(fieldsOf(inlineData)))}</p>`];
    const [name] = Object.keys(rest);
    return name === undefined ? [] : [details(name, asJson(rest))];
  });
}

function mediaLine({ mimeType, data }: Fields): string {
  const kilobytes = Math.ceil(((textOf(data)?.length ?? 0) * 3) / 4 / 1000);
  return `${textOf(mimeType) ?? "media"}, ${kilobytes} KB, not in this file`;
}

function callBox({ name, args }: Fields, outcome: unknown): string {
  return [
    `<div class="call"><h4>${escaped(textOf(name) ?? "")}</h4>`,
    `<pre>${asJson(args ?? {})}</pre>`,
    outcome === undefined ? "<p>no outcome</p>" : `<pre>${asJson(outcome)}</pre>`,
    "</div>",
  ].join("\n");
}

function sources(response: Fields): readonly string[] {
  const items = sourcesOf([response]).map(({ uri = "", title = uri }) =>
    isWebUrl(uri)
      ? `<li><a href="${escaped(uri)}" rel="noreferrer">${escaped(title)}</a></li>`
      : `<li>${escaped(title)}</li>`,
  );
  return items.length === 0 ? [] : [`<ol class="sources">${items.join("")}</ol>`];
}

function details(summary: string, body: string): string {
  return `<details><summary>${escaped(summary)}</summary><pre>${body}</pre></details>`;
}

/** A value as text, without signatures and without the bytes of media. */
function asJson(given: unknown): string {
  const text = JSON.stringify(
    given,
    (key, inner: unknown) => {
      if (key === "thoughtSignature") return undefined;
      return key === "data" && typeof inner === "string" && inner.length > 1000 ? `${inner.length} characters` : inner;
    },
    2,
  );
  return escaped(shortened(text ?? ""));
}

function shortened(text: string): string {
  if (text.length <= MAX_TEXT) return text;
  return `${text.slice(0, MAX_TEXT)}… (${(text.length - MAX_TEXT).toLocaleString("en-US")} more characters)`;
}

function timeOf(at: number): string {
  return Math.abs(at) <= 8.64e15 ? new Date(at).toISOString().replace("T", " ").slice(0, 16) : "";
}

function count(number: number, name: string): string {
  return `${number} ${name}${number === 1 ? "" : "s"}`;
}

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** The style of a session's HTML file. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --text: #1b1d21; --faint: #666b76; --back: #fff; --box: #f4f5f7; --line: #dfe2e7; --user: #e8effd; --bad: #b3261e; --link: #1a56c4 }
@media (prefers-color-scheme: dark) {
  :root { --text: #e4e6ea; --faint: #9aa1ad; --back: #16181c; --box: #1f2228; --line: #33373f; --user: #1d2a44; --bad: #ff8a80; --link: #8ab4f8 }
}
body { margin: 0 auto; max-width: 52rem; padding: 1.5rem; background: var(--back); color: var(--text); font: 15px/1.55 system-ui, sans-serif }
h1 { font-size: 1.3rem; margin: 0 } h2 { font-size: 1rem; margin: 2rem 0 0 } h3 { font-size: .85rem; color: var(--faint); margin: 1rem 0 .4rem } h3 span { font-weight: 400; margin-left: .6rem } h4 { margin: 0; font: 600 .85rem ui-monospace, monospace }
header p, .facts, footer { color: var(--faint); font-size: .85rem; margin: .2rem 0 }
.user, .model, .call { border: 1px solid var(--line); border-radius: 8px; padding: .6rem .9rem; margin: .5rem 0 }
.user { background: var(--user) } .call { background: var(--box) }
.text { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere } .text, h1 { unicode-bidi: plaintext }
pre { margin: .3rem 0; white-space: pre-wrap; overflow-wrap: anywhere; font: .8rem/1.5 ui-monospace, monospace; max-height: 30rem; overflow: auto }
summary, .media { color: var(--faint); font-size: .85rem } .error { color: var(--bad); white-space: pre-wrap; overflow-wrap: anywhere }
a { color: var(--link) } h3 a { color: inherit; text-decoration: none } article:target { outline: 2px solid var(--link); outline-offset: 6px; border-radius: 4px }
.taken { border-left: 3px solid var(--link); padding-left: .8rem } .sources { font-size: .85rem } footer { margin-top: 2.5rem }
`;
