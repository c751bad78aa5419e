/** Deepest nesting that is indented. */
const MAX_DEPTH = 64;

/** Most characters of an indented text. */
const MAX_INDENTED = 5_000_000;

/** A number, `true`, `false` or `null`. */
const SCALAR = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?=[\s,\]}]|$)/y;

/**
 * JSON text, indented by two spaces. Takes time in proportion to its length; numbers stay as they are written, even if
 * JavaScript would round them.
 *
 * @returns Undefined if its brackets, strings or values are not valid JSON, it nests too deeply, or the result would be far longer.
 */
export function indentJson(text: string): string | undefined {
  const open: string[] = [];
  let out = "";
  /** Whether a value has just ended, so that only a separator or a bracket can follow. */
  let isAfter = false;
  const line = (): string => `\n${"  ".repeat(open.length)}`;
  for (let at = skipSpace(text, 0); at < text.length && out.length <= MAX_INDENTED; at = skipSpace(text, at)) {
    const sign = text.charAt(at);
    if (sign === "]" || sign === "}") {
      if (!isAfter || open.pop() !== (sign === "]" ? "[" : "{")) return undefined;
      out += line() + sign;
      at++;
    } else if (sign === "," || sign === ":") {
      if (!isAfter || open.length === 0) return undefined;
      out += sign === "," ? `,${line()}` : ": ";
      isAfter = false;
      at++;
    } else if (isAfter) return undefined;
    else if (sign === "[" || sign === "{") {
      const next = skipSpace(text, at + 1);
      isAfter = text.charAt(next) === (sign === "[" ? "]" : "}");
      if (isAfter) out += sign + text.charAt(next);
      else {
        if (open.push(sign) > MAX_DEPTH) return undefined;
        out += sign + line();
      }
      at = isAfter ? next + 1 : at + 1;
    } else {
      const end = sign === '"' ? endOfString(text, at) : endOfScalar(text, at);
      const value = end === undefined ? undefined : readable(text.slice(at, end));
      if (end === undefined || value === undefined) return undefined;
      out += value;
      isAfter = true;
      at = end;
    }
  }
  return isAfter && open.length === 0 && out.length <= MAX_INDENTED ? out : undefined;
}

/** Whether JSON text nests deeper, without parsing it: parsing millions of levels takes seconds. */
export function isDeepJson(text: string, levels: number): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) at = endOfString(text, at) - 1;
    else if (code === 0x5b || code === 0x7b) depth++;
    else if (code === 0x5d || code === 0x7d) depth--;
    if (depth > levels) return true;
  }
  return false;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  for (let code = text.charCodeAt(at); code === 32 || code === 10 || code === 13 || code === 9;)
    code = text.charCodeAt(++at);
  return at;
}

/** Where a string ends, or a position after the text if it doesn't. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  for (let code = text.charCodeAt(at); at < text.length && code !== 0x22; code = text.charCodeAt(at))
    at += code === 0x5c ? 2 : 1;
  return at + 1;
}

function endOfScalar(text: string, start: number): number | undefined {
  SCALAR.lastIndex = start;
  return SCALAR.test(text) ? SCALAR.lastIndex : undefined;
}

/** A value without unnecessary escapes; undefined for an invalid string. */
function readable(value: string): string | undefined {
  if (!value.startsWith('"') || (!value.includes("\\") && value.length > 1 && value.endsWith('"'))) return value;
  try {
    return JSON.stringify(JSON.parse(value));
  } catch {
    return undefined;
  }
}
