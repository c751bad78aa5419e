import { boundBuffers } from "./buffer-limit.ts";

/** A page of a document, or a note about pages that were not read. */
export interface PdfPart {
  readonly text: string;
  /** Title of the document; only with the first part. */
  readonly title?: string | undefined;
  /** Whether the page contains more text than was read, or pages are missing. */
  readonly isCut: boolean;
}

/** Reads documents page by page. */
export type PdfReader = (bytes: Uint8Array) => AsyncIterable<PdfPart>;

/** Most pages that are read; longer documents are visibly truncated. */
const MAX_PAGES = 500;

/** Most characters of text that are read from a document. */
const MAX_TEXT = 2_000_000;

/** Most bytes of one buffer, such as a decompressed stream. */
const MAX_BUFFER = 64_000_000;

/**
 * Loads the library for reading PDFs. Only for a separate process: it limits the buffers of everything in its process.
 *
 * @throws If this version of Node can't read PDFs.
 */
export async function loadPdfReader(): Promise<PdfReader> {
  boundBuffers(MAX_BUFFER);
  const { getDocumentProxy } = await import("unpdf");
  return async function* readPdf(bytes) {
    const document = await getDocumentProxy(Uint8Array.from(bytes), { verbosity: 0 });
    try {
      const info = await document.getMetadata().then(
        (metadata): unknown => ("Title" in metadata.info ? metadata.info.Title : undefined),
        () => undefined,
      );
      const title = typeof info === "string" ? info.trim().slice(0, 300) : "";
      let left = MAX_TEXT;
      for (let number = 1; number <= Math.min(document.numPages, MAX_PAGES); number++) {
        const page = await document.getPage(number);
        const { text, isCut } = await textOfPage(page.streamTextContent(), left);
        left -= text.length;
        yield {
          ...(number === 1 && title !== "" ? { title } : {}),
          text: `--- page ${number} ---\n${text.trim()}`,
          isCut,
        };
        page.cleanup();
        if (isCut) return;
      }
      const rest = document.numPages - MAX_PAGES;
      if (rest > 0) yield { text: `--- ${rest} more pages are not read ---`, isCut: true };
    } finally {
      await document.loadingTask.destroy();
    }
  };
}

async function textOfPage(
  stream: ReadableStream,
  max: number,
): Promise<{ readonly text: string; readonly isCut: boolean }> {
  let text = "";
  // Leaving the loop cancels the stream, and with it the rest of the page.
  for await (const { items } of stream as AsyncIterable<{
    readonly items: readonly { readonly str?: string | undefined; readonly hasEOL?: boolean | undefined }[];
  }>) {
    for (const { str = "", hasEOL } of items) text += hasEOL === true ? `${str}\n` : str;
    if (text.length > max) return { text: text.slice(0, max), isCut: true };
  }
  return { text, isCut: false };
}
