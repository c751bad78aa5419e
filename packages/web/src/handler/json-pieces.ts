import { textSlices } from "../text-slices.ts";

/** Characters of a piece, at least: few enough to wait in memory for a reader that stalls. */
const MIN_PIECE = 16_384;

/** The JSON of a value in pieces, made as they are read: a long text in it is never copied as a whole. */
export function* jsonPieces(value: unknown): Generator<string, void> {
  let joined = "";
  for (const token of tokensOf(value)) {
    joined += token;
    if (joined.length < MIN_PIECE) continue;
    yield joined;
    joined = "";
  }
  if (joined !== "") yield joined;
}

function* tokensOf(value: unknown): Generator<string, void> {
  if (typeof value === "string" && value.length > MIN_PIECE) {
    yield '"';
    for (const slice of textSlices(value)) yield JSON.stringify(slice).slice(1, -1);
    yield '"';
  } else if (typeof value !== "object" || value === null || "toJSON" in value) {
    // What JSON has no word for is null in a list; in an object it was left out.
    yield value === undefined || typeof value === "function" ? "null" : JSON.stringify(value);
  } else {
    const isList = Array.isArray(value);
    let isFirst = true;
    yield isList ? "[" : "{";
    for (const [name, member] of Object.entries(value)) {
      if (!isList && (member === undefined || typeof member === "function")) continue;
      if (!isFirst) yield ",";
      if (!isList) yield `${JSON.stringify(name)}:`;
      yield* tokensOf(member);
      isFirst = false;
    }
    yield isList ? "]" : "}";
  }
}
