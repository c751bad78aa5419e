import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** Longest name without extension; common file systems accept 255 bytes. */
const MAX_LENGTH = 180;

/** Separates the start of the id from its hash in a shortened name; never part of a full one. */
const CUT = "~";

/** Names that Windows reserves for devices, with any extension. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/;

/**
 * The name of a session's files, without extension. Different ids have different names, even on file systems that ignore case or
 * normalize letters: lowercase letters, digits, `_`, `-` and inner dots stay as they are, an uppercase letter becomes `+` and its
 * lowercase form, everything else `%` and its code.
 *
 * A name that would be too long is shortened to its start and a hash: {@link isShortened}.
 */
export function sessionFileName(id: string): string {
  let name = "";
  for (let i = 0; i < id.length; i++) name += encodeUnit(id.charAt(i));
  // A leading dot hides a file.
  if (name.startsWith(".")) name = `%2e${name.slice(1)}`;
  if (DEVICE.test(name)) name = percent(name.charCodeAt(0)) + name.slice(1);
  if (name.length <= MAX_LENGTH) return name;
  // UTF-16, because UTF-8 has no lone surrogates.
  const hash = createHash("sha256").update(Buffer.from(id, "utf16le")).digest("hex");
  return `${name.slice(0, MAX_LENGTH - hash.length - 1)}${CUT}${hash}`;
}

/** True for a name that does not contain the whole id. */
export function isShortened(name: string): boolean {
  return name.includes(CUT);
}

/** The id in a full name; `undefined` when the file is not a session's. */
function sessionIdOf(name: string): string | undefined {
  const id = name
    .replaceAll(/\+([a-z])/g, (_, letter: string) => letter.toUpperCase())
    .replaceAll(/%u([\da-f]{4})|%([\da-f]{2})/g, (_, wide: string | undefined, narrow: string | undefined) =>
      String.fromCharCode(Number.parseInt(wide ?? narrow ?? "", 16)),
    );
  return sessionFileName(id) === name ? id : undefined;
}

/** The id of the session with this file name, for a shortened one from its `.id` file. `undefined` when it is not a session's. */
export async function readSessionId(folder: string, name: string): Promise<string | undefined> {
  if (!isShortened(name)) return sessionIdOf(name);
  try {
    const id: unknown = JSON.parse(await readFile(join(folder, `${name}.id`), "utf8"));
    return typeof id === "string" && sessionFileName(id) === name ? id : undefined;
  } catch {
    // Deleted meanwhile, or not completely written: not a session.
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
