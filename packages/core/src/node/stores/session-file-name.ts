import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** Longest name, without its ending, that every usual file system takes with room for the endings. */
const MAX_LENGTH = 180;

/** What stands in a short name between the beginning of the id and its hash; never in a whole one. */
const CUT = "~";

/** Names that Windows keeps for devices, whatever follows after a dot. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/;

/**
 * The name of a session's files, without ending. Different ids have different names, also where a file system does not tell
 * `A` from `a` or normalises letters: small letters, digits, `_`, `-` and inner dots stand as they are, a capital letter is `+`
 * and its small one, all else is `%` and its code.
 *
 * An id whose name would be too long gets its beginning and a hash: {@link isShortened}.
 */
export function sessionFileName(id: string): string {
  let name = "";
  for (let i = 0; i < id.length; i++) name += encodeUnit(id.charAt(i));
  // A leading dot hides a file.
  if (name.startsWith(".")) name = `%2e${name.slice(1)}`;
  if (DEVICE.test(name)) name = percent(name.charCodeAt(0)) + name.slice(1);
  if (name.length <= MAX_LENGTH) return name;
  // UTF-16, because UTF-8 has no half surrogates.
  const hash = createHash("sha256").update(Buffer.from(id, "utf16le")).digest("hex");
  return `${name.slice(0, MAX_LENGTH - hash.length - 1)}${CUT}${hash}`;
}

/** True for a name that does not tell the whole id. */
export function isShortened(name: string): boolean {
  return name.includes(CUT);
}

/** The id a name stands for; `undefined` for a shortened name, and for a file that is no session's. */
function sessionIdOf(name: string): string | undefined {
  const id = name
    .replaceAll(/\+([a-z])/g, (_, letter: string) => letter.toUpperCase())
    .replaceAll(/%u([\da-f]{4})|%([\da-f]{2})/g, (_, wide: string | undefined, narrow: string | undefined) =>
      String.fromCharCode(Number.parseInt(wide ?? narrow ?? "", 16)),
    );
  return sessionFileName(id) === name ? id : undefined;
}

/** The id of the session whose files have a name; of a shortened name the file beside it tells. `undefined` for no session's. */
export async function readSessionId(folder: string, name: string): Promise<string | undefined> {
  if (!isShortened(name)) return sessionIdOf(name);
  try {
    const id: unknown = JSON.parse(await readFile(join(folder, `${name}.id`), "utf8"));
    return typeof id === "string" && sessionFileName(id) === name ? id : undefined;
  } catch {
    // Deleted meanwhile, or never written to its end: no session.
    return undefined;
  }
}

function encodeUnit(unit: string): string {
  if (/[\da-z_.-]/.test(unit)) return unit;
  return /[A-Z]/.test(unit) ? `+${unit.toLowerCase()}` : percent(unit.charCodeAt(0));
}

function percent(code: number): string {
  return code < 0x100 ? `%${code.toString(16).padStart(2, "0")}` : `%u${code.toString(16).padStart(4, "0")}`;
}
