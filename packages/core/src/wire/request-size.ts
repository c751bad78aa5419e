import { ConfigurationError } from "../errors/configuration-error.ts";
import type { Endpoint } from "./endpoint.ts";

/** 100 MiB, the limit of the Developer API. */
const MAX_REQUEST_BYTES = 104_857_600;

/**
 * Refuses a body that the endpoint would refuse, before it is sent.
 *
 * @param limit - Absent means the endpoint's own; none is known of Vertex.
 * @throws {ConfigurationError} Naming both sizes and what to do.
 * @see https://ai.google.dev/gemini-api/docs/file-input-methods
 */
export function checkRequestSize(bytes: number, limit: number | undefined, { kind }: Endpoint): void {
  const most = limit ?? (kind === "vertex" ? Infinity : MAX_REQUEST_BYTES);
  if (bytes <= most) return;
  const instead = {
    developer: "upload large media with uploadFile() and send the file instead of its bytes",
    vertex: 'put large media into Cloud Storage and send media("gs://bucket/file") instead of its bytes',
    gateway: "send smaller or fewer media",
  }[kind];
  throw new ConfigurationError(
    `The request has ${bytes} bytes, and maxRequestBytes is ${most}: ${instead}, or shorten the history.`,
  );
}
