import { createHash } from "node:crypto";

/** SHA-256 of a body in hex; ignores the boundary of multipart bodies. */
export function fingerprintOf(bytes: Uint8Array, contentType: string | null): string {
  const boundary = /boundary="?([^";]+)/i.exec(contentType ?? "")?.[1];
  const hash = createHash("sha256");
  if (boundary === undefined) return hash.update(bytes).digest("hex");
  return hash.update(Buffer.from(bytes).toString("latin1").replaceAll(boundary, "boundary"), "latin1").digest("hex");
}
