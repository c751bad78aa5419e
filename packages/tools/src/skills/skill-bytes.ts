import { createHash } from "node:crypto";
import { ToolError } from "@pollux/core";
import { chunksOf, contentOf } from "../files/file-bytes.ts";
import { Folder } from "../files/folder.ts";
import { decodeAll } from "../files/text-encoding.ts";

/** Name of the file that makes a folder a skill. */
export const SKILL_FILE = "SKILL.md";

/** A text file of a skill. */
export interface SkillFileText {
  /** Path in the skill's folder. */
  readonly file: string;
  /** With `\n` between lines, without a byte order mark. */
  readonly text: string;
  /** Hash of the file's bytes, 64 hexadecimal digits. */
  readonly sha256: string;
}

/**
 * Reads a file of a skill, and nothing outside its folder.
 *
 * @throws {ToolError} If the file is missing, outside the folder, too large or not text.
 */
export async function readSkillText(
  folder: string,
  path: string,
  { maxBytes, signal }: { readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<SkillFileText> {
  const { place, file, bytes } = await new Folder({ root: folder }).open(path);
  try {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of chunksOf(file, signal)) {
      size += chunk.length;
      if (size > maxBytes)
        throw new ToolError(
          `"${place.path}" has ${Math.max(bytes, size)} bytes, more than the limit of ${maxBytes}; it cannot be read with this tool`,
        );
      chunks.push(chunk.slice());
    }
    const whole = Buffer.concat(chunks);
    const content = contentOf(whole);
    const decoded = "kind" in content ? undefined : decodeAll(whole);
    if (decoded === undefined)
      throw new ToolError(
        `"${place.path}" is not text but a ${"kind" in content ? content.kind : "binary file"} of ${size} bytes; choose another file`,
      );
    const sha256 = createHash("sha256").update(whole).digest("hex");
    return { file: place.path, text: decoded.text.replaceAll("\r\n", "\n"), sha256 };
  } finally {
    await file.close();
  }
}
