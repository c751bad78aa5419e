import { Worker } from "node:worker_threads";
import { HTML_MODULE, type HtmlPage, loadHtmlReader, type ReadHtmlOptions, textOf } from "./html-page.ts";

/** Milliseconds until a page is converted as plain text instead. */
const TIMEOUT_MS = 10_000;

/** Memory for converting a page, in megabytes. */
const MEMORY_MB = 512;

/** Source of the worker thread: it only runs the module that reads pages. */
const CODE = `
const { parentPort, workerData } = require("node:worker_threads");
import(workerData.module).then(async ({ loadHtmlReader }) => {
  const read = await loadHtmlReader();
  parentPort.postMessage({ type: "ready" });
  const { html, url, isWhole } = workerData;
  parentPort.postMessage({ type: "page", page: read(html, { url: new URL(url), isWhole }) });
});
`;

type Message = { readonly type: "ready" } | { readonly type: "page"; readonly page: HtmlPage };

/**
 * Converts a page in a separate thread: some pages take minutes and all memory, and nothing else must wait for them. Such
 * a page is converted as plain text.
 *
 * @param onReading - Called when the thread starts converting.
 */
export async function readHtmlApart(
  html: string,
  options: ReadHtmlOptions,
  signal: AbortSignal,
  onReading: () => void = () => {},
): Promise<HtmlPage> {
  signal.throwIfAborted();
  const { url, isWhole } = options;
  const worker = new Worker(CODE, {
    eval: true,
    workerData: { module: HTML_MODULE, html, url: url.href, isWhole },
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
  });
  try {
    const page = await pageOf(worker, signal, onReading);
    signal.throwIfAborted();
    if (page === "too much") return { markdown: textOf(html), links: [], isCut: false };
    // In a bundle, the module is not where the thread looks for it.
    return page === "not loaded" ? (await loadHtmlReader())(html, options) : page;
  } finally {
    await worker.terminate();
  }
}

async function pageOf(
  worker: Worker,
  signal: AbortSignal,
  onReading: () => void,
): Promise<HtmlPage | "too much" | "not loaded"> {
  let isReady = false;
  let timer: NodeJS.Timeout | undefined;
  let stop = (): void => {};
  try {
    return await new Promise((resolve) => {
      stop = () => resolve("too much");
      timer = setTimeout(stop, TIMEOUT_MS);
      signal.addEventListener("abort", stop);
      const fail = (): void => resolve(isReady ? "too much" : "not loaded");
      worker.on("error", fail);
      worker.on("exit", fail);
      worker.on("message", (message: Message) => {
        if (message.type === "page") return resolve(message.page);
        isReady = true;
        onReading();
      });
    });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}
