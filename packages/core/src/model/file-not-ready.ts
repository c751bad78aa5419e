import { ApiStatusError } from "../errors/api-errors.ts";

/** Name of the file (`files/abc`) that a request was refused for because the service still works on it. */
export function fileNotReady(error: unknown): string | undefined {
  if (!(error instanceof ApiStatusError) || error.status !== 400) return undefined;
  const id = /\bFile (?:files\/)?([a-z0-9-]+) is not in an ACTIVE state/i.exec(error.message)?.[1];
  return id === undefined ? undefined : `files/${id}`;
}
