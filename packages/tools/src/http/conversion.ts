import type { HtmlPage } from "./html-page.ts";
import type { PdfPart } from "./pdf-text.ts";

/** What each kind of document is read with, and has to be installed for it. */
export const READERS = {
  html: { user: "Reading web pages", packages: ["turndown", "@mixmark-io/domino"] },
  pdf: { user: "Reading PDF files", packages: ["unpdf"] },
} as const;

/** What a conversion process is asked to convert. */
export type Conversion =
  | { readonly kind: "html"; readonly html: string; readonly url: string; readonly isWhole: boolean }
  | { readonly kind: "pdf"; readonly base64: string };

/** The one message to a conversion process. */
export interface ConversionRequest {
  readonly conversion: Conversion;
  /** The process ends itself after this time, in milliseconds. */
  readonly lifeMs: number;
  /** The process ends itself once it occupies more memory than this, in bytes. */
  readonly maxMemoryBytes: number;
}

/** What a conversion process reports, in this order; `part` once for each page of a PDF. */
export type ConversionMessage =
  | { readonly type: "ready" }
  | { readonly type: "html"; readonly page: HtmlPage }
  | { readonly type: "part"; readonly part: PdfPart }
  | { readonly type: "done" }
  | { readonly type: "problem"; readonly problem: "damaged" | "unsupported" | "missing" };
