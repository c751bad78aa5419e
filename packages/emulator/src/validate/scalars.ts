const INTEGER_BITS: Readonly<Record<string, number>> = { int32: 31, int64: 63 };

/**
 * Why a JSON value doesn't have a protobuf scalar type: undefined if it does, empty for the usual message (type and value), or the
 * text after the path. Numbers may be strings; bytes may use either base64 alphabet, with or without padding.
 */
export function scalarProblem(raw: unknown, type: string): string | undefined {
  if (type in INTEGER_BITS) return isInteger(raw, INTEGER_BITS[type] ?? 31) ? undefined : "";
  switch (type) {
    case "string":
      return typeof raw === "string" ? undefined : "";
    case "bool":
      return typeof raw === "boolean" || raw === "true" || raw === "false" ? undefined : "";
    case "float":
    case "double":
      return isNumber(raw) ? undefined : "";
    case "bytes":
      return bytesProblem(raw);
    case "Duration":
      return typeof raw === "string" && /^-?\d+(?:\.\d{1,9})?s$/.test(raw) ? undefined : "";
    case "Timestamp":
      return typeof raw === "string" && !Number.isNaN(Date.parse(raw)) ? undefined : "";
    default:
      return "";
  }
}

function isNumber(raw: unknown): boolean {
  if (typeof raw === "number") return true;
  return typeof raw === "string" && /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$|^-?Infinity$|^NaN$/.test(raw);
}

function isInteger(raw: unknown, bits: number): boolean {
  if (typeof raw !== "number" && !(typeof raw === "string" && /^-?\d+(?:\.0+)?$/.test(raw))) return false;
  const value = Number(raw);
  return Number.isInteger(value) && value >= -(2 ** bits) && value <= 2 ** bits - (bits === 31 ? 1 : 0);
}

function bytesProblem(raw: unknown): string | undefined {
  if (typeof raw !== "string") return "";
  return isBase64(raw) ? undefined : `(TYPE_BYTES), Base64 decoding failed for ${JSON.stringify(raw)}`;
}

function isBase64(text: string): boolean {
  const bare = (/\s/.test(text) ? text.replaceAll(/\s/g, "") : text).replace(/={1,2}$/, "");
  return /^[A-Za-z0-9+/_-]*$/.test(bare) && bare.length % 4 !== 1;
}
