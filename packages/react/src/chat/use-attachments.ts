import { useState } from "react";
import type { DraftFile } from "../chat-message.ts";

/** Types of files that a model reads, as a file picker takes them. */
export const ACCEPTED =
  "image/png,image/jpeg,image/webp,image/gif,image/heic,image/heif,audio/*,application/pdf,text/*,.md,.csv,.json";

const READABLE =
  /^(?:image\/(?:png|jpeg|webp|gif|heic|heif)|audio\/[\w.+-]+|application\/(?:pdf|json)|text\/[\w.+-]+)$/;

/** Fits into a body that the handler accepts; data URLs are a third longer than their files. */
const MAX_CHARACTERS = 12 * 1024 * 1024;

/** Files that go with the next message. */
export interface Attachments {
  readonly files: readonly DraftFile[];
  /** Some are being read. */
  readonly isReading: boolean;
  /** Which files were left out, and why. */
  readonly problem: string | undefined;
  /** Adds what a model can read; a file that it can't does not keep out the others. */
  readonly add: (files: readonly File[]) => Promise<void>;
  readonly remove: (index: number) => void;
  readonly clear: () => void;
}

/** Images, sounds, PDF files and texts that a person attaches to a message. */
export function useAttachments(): Attachments {
  const [files, setFiles] = useState<readonly DraftFile[]>([]);
  const [problem, setProblem] = useState<string>();
  const [reading, setReading] = useState(0);
  return {
    files,
    isReading: reading > 0,
    problem,
    async add(chosen) {
      setReading((count) => count + 1);
      const problems: string[] = [];
      const read: DraftFile[] = [];
      let size = files.reduce((sum, { url }) => sum + url.length, 0);
      for (const file of chosen) {
        const mediaType = typeOf(file);
        const refusal = refusalOf(file, mediaType, size);
        const url = refusal === undefined ? await dataUrlOf(file, mediaType).catch(() => undefined) : undefined;
        size += url?.length ?? 0;
        if (url === undefined) problems.push(`“${file.name}” ${refusal ?? "could not be read"}.`);
        else read.push({ type: "file", url, mediaType, filename: file.name });
      }
      setReading((count) => count - 1);
      setProblem(problems.length === 0 ? undefined : problems.join(" "));
      setFiles((before) => [...before, ...read]);
    },
    remove: (index) => setFiles((before) => before.filter((_file, at) => at !== index)),
    clear() {
      setFiles([]);
      setProblem(undefined);
    },
  };
}

/** Why a file can't go with a message, if it can't. @param size - Of the other attachments, in characters. */
function refusalOf(file: File, mediaType: string, size: number): string | undefined {
  if (!READABLE.test(mediaType)) return "is of a type that can’t be read";
  if (file.size === 0) return "is empty";
  return size + file.size * 1.34 > MAX_CHARACTERS ? "is too large: a message can hold 9 MB" : undefined;
}

/** The type of a file. Systems don't know the types of all texts. */
function typeOf({ type, name }: File): string {
  if (type !== "") return type.split(";", 1)[0] ?? type;
  return /\.(?:md|txt|csv|log|ya?ml|toml|[cm]?[jt]sx?|py|rs|go|java|sql)$/i.test(name) ? "text/plain" : "";
}

async function dataUrlOf(file: File, mediaType: string): Promise<string> {
  return await new Promise<string>((resolve, reject) => {
    const reader = new FileReader();
    // readAsDataURL gives a text.
    reader.addEventListener("load", () =>
      resolve((reader.result as string).replace(/^data:[^,]*?(?=;base64,)/, `data:${mediaType}`)),
    );
    reader.addEventListener("error", () => reject(reader.error ?? new Error("the file could not be read")));
    reader.readAsDataURL(file);
  });
}
