import { ToolFailure } from "@pollux/core";
import type * as Unpdf from "unpdf";

/** Text and title of a document. */
export interface PdfText {
  readonly title?: string | undefined;
  readonly text: string;
}

/** Pages that are read; longer documents are visibly truncated. */
const MAX_PAGES = 500;

/**
 * Text of a PDF, page by page.
 *
 * @throws {ToolFailure} If it can't be read, or this version of Node can't read PDFs.
 */
export async function pdfText(bytes: Uint8Array, signal: AbortSignal): Promise<PdfText> {
  const { getDocumentProxy } = await load();
  let document: Awaited<ReturnType<typeof getDocumentProxy>>;
  try {
    document = await getDocumentProxy(Uint8Array.from(bytes), { verbosity: 0 });
  } catch (error) {
    throw new ToolFailure("the PDF cannot be read: it is damaged or needs a password; use another source", {
      cause: error,
    });
  }
  try {
    const info = await document.getMetadata().then(
      (metadata): unknown => ("Title" in metadata.info ? metadata.info.Title : undefined),
      () => undefined,
    );
    const pages: string[] = [];
    for (let number = 1; number <= Math.min(document.numPages, MAX_PAGES); number++) {
      signal.throwIfAborted();
      const page = await document.getPage(number);
      const { items } = await page.getTextContent();
      const text = items.map((item) => ("str" in item ? `${item.str}${item.hasEOL ? "\n" : ""}` : "")).join("");
      pages.push(`--- page ${number} ---\n${text.trim()}`);
      page.cleanup();
    }
    if (document.numPages > MAX_PAGES) pages.push(`--- ${document.numPages - MAX_PAGES} more pages are not read ---`);
    return {
      ...(typeof info === "string" && info.trim() !== "" ? { title: info.trim() } : {}),
      text: pages.join("\n\n"),
    };
  } finally {
    await document.loadingTask.destroy();
  }
}

async function load(): Promise<typeof Unpdf> {
  try {
    return await import("unpdf");
  } catch (error) {
    throw new ToolFailure(
      `PDF files cannot be read here (this is Node ${process.versions.node}; reading them requires Node 22); use another source`,
      { cause: error },
    );
  }
}
