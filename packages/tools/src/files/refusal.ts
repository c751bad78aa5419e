import { ToolError } from "@pollux/core";

const REASONS: { readonly [code: string]: string } = {
  ENOENT: "does not exist; use list_files to see what there is",
  ENOTDIR: "does not exist: part of the path is a file, not a folder; use list_files to see what there is",
  EACCES: "cannot be read: this program lacks the permission",
  EPERM: "cannot be read: this program lacks the permission",
  ELOOP: "is a circular link",
  ENAMETOOLONG: "is too long for a path",
  EISDIR: "is a folder; use list_files to see what is in it",
  ENXIO: "is a device, a pipe or a socket, and cannot be read",
};

const WRITING_REASONS: { readonly [code: string]: string } = {
  ...REASONS,
  EACCES: "cannot be written: this program lacks the permission",
  EPERM: "cannot be written: this program lacks the permission",
  EROFS: "is on a read-only disk",
  ENOSPC: "does not fit: the disk is full",
  EDQUOT: "does not fit: the disk quota is used up",
  EEXIST: "was created by something else in the meantime; read it first",
  ELOOP: "was replaced by a link in the meantime, which is not followed",
  ENXIO: "is a device, a pipe or a socket, and cannot be written",
};

/** Explains a file system error to the model; rethrows unknown errors. */
export function refuse(error: unknown, what: string, doing: "read" | "write" = "read"): never {
  const code = codeOf(error);
  const reason = (doing === "read" ? REASONS : WRITING_REASONS)[code];
  if (reason === undefined) throw error;
  throw new ToolError(`${what} ${reason}`, { cause: error });
}

/** The file system's error code, such as `ENOENT`; empty for other errors. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
