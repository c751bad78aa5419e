import { ToolError } from "@pollux/core";
import { notInstalled } from "../optional-packages.ts";
import { READERS } from "./conversion.ts";
import { convertApart, type ConversionEnd, type ReadingContext } from "./convert-apart.ts";

/** The text of a document. */
export interface PdfText {
  readonly title?: string | undefined;
  readonly text: string;
  /** Whether the document contains more than was read. */
  readonly isCut: boolean;
}

/** Milliseconds after which the rest of a document is not read. */
const TIMEOUT_MS = 20_000;

/**
 * Reads the text of a PDF page by page in a separate process. If a document takes too much time or memory, returns the pages
 * read so far.
 *
 * @param onReading - Called when the process starts reading, and after each page.
 * @throws {ToolError} If it can't be read, if this program can't read PDFs, or after too long a wait for other conversions.
 * @throws The signal's reason, if it aborts.
 */
export async function readPdfApart(
  bytes: Uint8Array,
  { signal, maxConversions }: ReadingContext,
  onReading: (pages: number) => void = () => {},
): Promise<PdfText> {
  const pages: string[] = [];
  let title: string | undefined;
  let isCut = false;
  const base64 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
  const end = await convertApart(
    { kind: "pdf", base64 },
    {
      timeoutMs: TIMEOUT_MS,
      signal,
      maxConversions,
      onMessage: (message) => {
        if (message.type === "part") {
          pages.push(message.part.text);
          title ??= message.part.title;
          isCut ||= message.part.isCut;
        }
        onReading(pages.length);
      },
    },
  );
  signal.throwIfAborted();
  if (end !== "done" && (end !== "too much" || pages.length === 0)) throw failureOf(end);
  return {
    ...(title === undefined ? {} : { title }),
    text: pages.join("\n\n"),
    isCut: isCut || end === "too much",
  };
}

function failureOf(end: Exclude<ConversionEnd, "done">): ToolError {
  if (end === "missing") return notInstalled(READERS.pdf);
  if (end === "damaged")
    return new ToolError("the PDF cannot be read: it is damaged or needs a password; use another source");
  if (end === "too much")
    return new ToolError("the PDF cannot be read: it takes more time or memory than is allowed; use another source");
  if (end === "unavailable")
    return new ToolError(
      "PDF files cannot be read here: the process that reads them cannot be started; use another source",
    );
  return new ToolError(
    `PDF files cannot be read here (this is Node ${process.versions.node}; reading them requires Node 22); use another source`,
  );
}
