import type { FileProgress, StoredFile } from "./file-store.ts";

/** A file in the service's format. */
export function fileJson(file: StoredFile, state: FileProgress): object {
  const { name, displayName, mimeType, sizeBytes, createdAt, expiresAt, sha256, uri } = file;
  return {
    name,
    ...(displayName && { displayName }),
    mimeType,
    sizeBytes: String(sizeBytes),
    createTime: createdAt.toISOString(),
    updateTime: createdAt.toISOString(),
    expirationTime: expiresAt.toISOString(),
    sha256Hash: sha256,
    uri,
    state,
    source: "UPLOADED",
    ...(state === "ACTIVE" && mimeType.startsWith("video/") && { videoMetadata: { videoDuration: "10s" } }),
    ...(state === "FAILED" && {
      error: { code: 3, message: `The File ${name.slice("files/".length)} failed to process.` },
    }),
  };
}
