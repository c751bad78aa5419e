import type { HtmlPage } from "./html-page.ts";
import type { PdfPart } from "./pdf-text.ts";

/** The packages that read each kind of document. */
export const READERS = {
  html: { user: "Reading web pages", packages: ["turndown", "@mixmark-io/domino"] },
  pdf: { user: "Reading PDF files", packages: ["unpdf"] },
} as const;

/** The document that a conversion process converts. */
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

/** A message from a conversion process, in this order; `part` once for each page of a PDF. */
export type ConversionMessage =
  | { readonly type: "ready" }
  | { readonly type: "html"; readonly page: HtmlPage }
  | { readonly type: "part"; readonly part: PdfPart }
  | { readonly type: "done" }
  | { readonly type: "problem"; readonly problem: "damaged" | "unsupported" | "missing" };
