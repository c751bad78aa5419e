// A separate process per document: a thread that runs out of memory can end the whole program, and a process can be killed.
import { Worker } from "node:worker_threads";
import type { Conversion, ConversionMessage, ConversionRequest } from "./conversion.ts";
import { loadHtmlReader } from "./html-page.ts";
import { loadPdfReader } from "./pdf-text.ts";

process.once("message", (request: ConversionRequest) => {
  watch(request);
  convert(request.conversion).then(
    () => process.exit(0),
    () => process.exit(1),
  );
});

/** Waits until a message has left this process, so that finished parts aren't lost when the process is killed. */
async function report(message: ConversionMessage): Promise<void> {
  await new Promise<void>((resolve) => {
    process.send?.(message, () => resolve());
  });
}

async function convert(conversion: Conversion): Promise<void> {
  const refuse = (error: unknown): Promise<void> => {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    // This file loads only its own modules and packages that may not be installed.
    if (code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND")
      return report({ type: "problem", problem: "missing" });
    if (conversion.kind === "pdf") return report({ type: "problem", problem: "unsupported" });
    throw error;
  };
  if (conversion.kind === "html") {
    const read = await loadHtmlReader().catch(refuse);
    if (read === undefined) return;
    await report({ type: "ready" });
    const { html, url, isWhole } = conversion;
    await report({ type: "html", page: read(html, { url: new URL(url), isWhole }) });
    return;
  }
  const read = await loadPdfReader().catch(refuse);
  if (read === undefined) return;
  await report({ type: "ready" });
  try {
    for await (const part of read(Buffer.from(conversion.base64, "base64"))) await report({ type: "part", part });
    await report({ type: "done" });
  } catch {
    await report({ type: "problem", problem: "damaged" });
  }
}

/** Ends this process from a second thread, even if the first one never returns and the parent is gone. */
function watch({ lifeMs, maxMemoryBytes }: ConversionRequest): void {
  const code = `
const end = () => process.kill(process.pid, "SIGKILL");
setTimeout(end, ${lifeMs});
setInterval(() => { if (process.memoryUsage.rss() > ${maxMemoryBytes}) end(); }, 10);
`;
  new Worker(code, { eval: true, stdout: true, stderr: true }).unref();
}
