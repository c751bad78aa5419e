// Reads many hostile documents with the readers of the conversion process, and reports each one.
import { loadHtmlReader } from "../../src/http/html-page.ts";
import { loadPdfReader } from "../../src/http/pdf-text.ts";
import { hostilePages, hostilePdfs } from "./documents.ts";

/** The request to this process: the documents of a seed, starting with the one at `from`. */
export interface ManyToRead {
  readonly kind: "html" | "pdf";
  readonly seed: number;
  readonly count: number;
  readonly from: number;
}

process.once("message", ({ kind, seed, count, from }: ManyToRead) => {
  void (kind === "html" ? readPages(seed, count, from) : readPdfs(seed, count, from)).then(() => process.exit(0));
});

async function report(index: number, result: string): Promise<void> {
  await new Promise<void>((resolve) => {
    process.send?.({ index, result }, () => resolve());
  });
}

async function readPages(seed: number, count: number, from: number): Promise<void> {
  const read = await loadHtmlReader();
  const url = new URL("http://a.test/");
  for (const [index, page] of hostilePages(seed, count).entries())
    if (index >= from) await report(index, typeof read(page, { url, isWhole: index % 2 === 0 }).markdown);
}

async function readPdfs(seed: number, count: number, from: number): Promise<void> {
  const pdfs = hostilePdfs(seed, count);
  const read = await loadPdfReader();
  for (const [index, bytes] of pdfs.entries()) {
    if (index < from) continue;
    let result = "string";
    try {
      for await (const { text } of read(bytes)) result = typeof text;
    } catch (error) {
      // The conversion process reports every error of the library as a damaged file.
      result = error instanceof Error ? "damaged" : "thrown";
    }
    await report(index, result);
  }
}
