import { ToolFailure } from "@pollux/core";

const REASONS: { readonly [code: string]: string } = {
  ENOENT: "does not exist; use list_files to see what there is",
  ENOTDIR: "does not exist: a file stands where a folder would have to; use list_files to see what there is",
  EACCES: "may not be read by this program",
  EPERM: "may not be read by this program",
  ELOOP: "is a link that leads in circles",
  ENAMETOOLONG: "is too long to be a path",
  EISDIR: "is a folder; use list_files to see what is in it",
  ENXIO: "is a device, a pipe or a socket, and cannot be read",
};

const WRITING_REASONS: { readonly [code: string]: string } = {
  ...REASONS,
  EACCES: "may not be written by this program",
  EPERM: "may not be written by this program",
  EROFS: "is on a disk that cannot be written",
  ENOSPC: "does not fit: the disk is full",
  EDQUOT: "does not fit: the disk quota is used up",
  EEXIST: "was made by somebody else meanwhile; read it first",
  ELOOP: "was replaced by a link meanwhile, and is not followed",
  ENXIO: "is a device, a pipe or a socket, and cannot be written",
};

/** Says in the model's words what the file system said; what it does not know goes on as it is. */
export function refuse(error: unknown, what: string, doing: "read" | "write" = "read"): never {
  const code = codeOf(error);
  const reason = (doing === "read" ? REASONS : WRITING_REASONS)[code];
  if (reason === undefined) throw error;
  throw new ToolFailure(`${what} ${reason}`, { cause: error });
}

/** The file system's word for what went wrong, such as `ENOENT`; empty for other errors. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
