import { useState } from "react";
import type { Said } from "./use-conversation.ts";

type SaidFile = Said["files"][number];

const MAX_BYTES = 12 * 1024 * 1024;

/** Images that go with the next message. */
export interface Attachments {
  readonly files: readonly SaidFile[];
  readonly problem: string | undefined;
  readonly add: (files: readonly File[]) => Promise<void>;
  readonly remove: (index: number) => void;
  readonly clear: () => void;
}

export function useAttachments(): Attachments {
  const [files, setFiles] = useState<readonly SaidFile[]>([]);
  const [problem, setProblem] = useState<string>();
  return {
    files,
    problem,
    async add(chosen) {
      const images = chosen.filter(({ type }) => /^image\/(?:png|jpeg|webp|gif|heic|heif)$/.test(type));
      const known = files.reduce((sum, { url }) => sum + url.length, 0);
      if (images.length < chosen.length) return setProblem("Only images can be attached.");
      if (images.reduce((sum, { size }) => sum + size * 1.34, known) > MAX_BYTES)
        return setProblem("These images are too large: all together may have 9 MB.");
      setProblem(undefined);
      const read = await Promise.all(images.map(readFile));
      setFiles((before) => [...before, ...read]);
    },
    remove: (index) => setFiles((before) => before.filter((_file, at) => at !== index)),
    clear() {
      setFiles([]);
      setProblem(undefined);
    },
  };
}

async function readFile(file: File): Promise<SaidFile> {
  const url = await new Promise<string>((resolve, reject) => {
    const reader = new FileReader();
    // readAsDataURL gives a text.
    reader.addEventListener("load", () => resolve(reader.result as string));
    reader.addEventListener("error", () => reject(reader.error ?? new Error("the file could not be read")));
    reader.readAsDataURL(file);
  });
  return { type: "file", url, mediaType: file.type, filename: file.name };
}
