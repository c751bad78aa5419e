/** A page's content, with its dictionary entries. */
export interface PdfContent {
  readonly bytes: Uint8Array | string;
  /** Such as `/Filter /FlateDecode`. */
  readonly filter?: string | undefined;
}

/** A document with these pages. */
export function pdfOf(...pages: readonly PdfContent[]): Buffer {
  const parts: Buffer[] = [Buffer.from("%PDF-1.4\n")];
  const offsets: number[] = [];
  const size = (): number => parts.reduce((sum, part) => sum + part.length, 0);
  const add = (...lines: readonly (string | Uint8Array)[]): void => {
    offsets.push(size());
    parts.push(Buffer.from(`${offsets.length} 0 obj\n`));
    for (const line of lines) parts.push(typeof line === "string" ? Buffer.from(line, "latin1") : Buffer.from(line));
    parts.push(Buffer.from("\nendobj\n"));
  };
  const kids = pages.map((_, index) => `${4 + 2 * index} 0 R`).join(" ");
  add("<< /Type /Catalog /Pages 2 0 R >>");
  add(`<< /Type /Pages /Kids [${kids}] /Count ${pages.length} >>`);
  add("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>");
  for (const [index, { bytes, filter = "" }] of pages.entries()) {
    add(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents ${5 + 2 * index} 0 R /Resources << /Font << /F1 3 0 R >> >> >>`,
    );
    add(`<< ${filter} /Length ${bytes.length} >>\nstream\n`, bytes, "\nendstream");
  }
  const xref = size();
  const rows = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("");
  const end = `xref\n0 ${offsets.length + 1}\n0000000000 65535 f \n${rows}trailer\n<< /Size ${offsets.length + 1} /Root 1 0 R >>\nstartxref\n${xref}\n%%EOF`;
  return Buffer.concat([...parts, Buffer.from(end)]);
}

/** Operators that draw a line of text. */
export function drawn(text: string): string {
  return `BT /F1 24 Tf 72 720 Td (${text}) Tj ET`;
}
