import { notInstalled } from "../optional-packages.ts";
import { READERS } from "./conversion.ts";
import { convertApart, type ReadingContext } from "./convert-apart.ts";
import type { HtmlPage, ReadHtmlOptions } from "./html-page.ts";
import { textOfHtml } from "./text-of-html.ts";

/** Most characters that are passed to the process: one more than are converted. */
const MAX_PASSED = 1_000_001;

/** Milliseconds until a page is converted as plain text instead. */
const TIMEOUT_MS = 10_000;

/**
 * Converts a page in a separate process. A page that takes too much time or memory is converted as plain text, and so is
 * every page where no process can be started, as in a bundle.
 *
 * @param onReading - Called when the process starts converting.
 * @throws {ToolError} After too long a wait for other conversions. @throws The signal's reason, if it aborts.
 */
export async function readHtmlApart(
  html: string,
  { url, isWhole }: ReadHtmlOptions,
  { signal, maxConversions }: ReadingContext,
  onReading: () => void = () => {},
): Promise<HtmlPage> {
  let page: HtmlPage | undefined;
  const end = await convertApart(
    { kind: "html", html: html.slice(0, MAX_PASSED), url: url.href, isWhole },
    {
      timeoutMs: TIMEOUT_MS,
      signal,
      maxConversions,
      onMessage: (message) => {
        if (message.type === "ready") onReading();
        if (message.type === "html") page = message.page;
      },
    },
  );
  signal.throwIfAborted();
  if (end === "missing") throw notInstalled(READERS.html);
  const most = MAX_PASSED - 1;
  return page ?? { markdown: textOfHtml(html.slice(0, most)), links: [], isCut: html.length > most };
}
