import type { Content } from "@pollux/core/wire";
import type { UploadedFile } from "./file-options.ts";

/** The known files that contents refer to, by the URIs they use, each once. */
export function filesIn(
  contents: readonly Content[],
  fileOf: (fileUri: string) => UploadedFile | undefined,
): readonly UploadedFile[] {
  const found = new Map<string, UploadedFile>();
  for (const part of contents.flatMap((content) => content.parts)) {
    for (const { fileData } of [part, ...(part.functionResponse?.parts ?? [])]) {
      const file = fileData && fileOf(fileData.fileUri);
      if (file) {
        const { name, displayName, mimeType, sizeBytes } = file;
        found.set(fileData.fileUri, { name, displayName, mimeType, sizeBytes, uri: fileData.fileUri });
      }
    }
  }
  return [...found.values()];
}
