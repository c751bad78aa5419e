import { type Leaf, leavesOf } from "./leaves.ts";
import type { Chunk } from "./read-body.ts";

/** A piece of a content, in order. */
export type Piece =
  /** Pure text of one kind, in any number of parts. */
  | { readonly kind: "text" | "thought"; readonly text: string; readonly parts: number }
  /** Any other part: its leaves, in order. */
  | { readonly kind: "part"; readonly json: string }
  /** A call with streamed arguments. */
  | { readonly kind: "call"; readonly head: string; readonly args: ReadonlyMap<string, unknown> };

/** Fields of a part besides its data. */
const PLAIN: ReadonlySet<string> = new Set(["text", "thought"]);

/** The pieces of a content, in order. Null fields of a part are absent; nulls in arguments are values. */
export function piecesOf(parts: readonly Chunk[]): readonly Piece[] {
  const pieces: Piece[] = [];
  let open: Map<string, unknown> | undefined;
  for (const given of parts) {
    const part = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
    if (Object.keys(part).length === 0 && Object.keys(given).length > 0) continue;
    const call = part["functionCall"] as Chunk | undefined;
    if (call !== undefined && open !== undefined && call["name"] === undefined) {
      addArgs(open, call);
      if (call["willContinue"] !== true) open = undefined;
      continue;
    }
    open = undefined;
    const last = pieces.at(-1);
    if (typeof part["text"] === "string" && Object.keys(part).every((key) => PLAIN.has(key))) {
      const kind = part["thought"] === true ? "thought" : "text";
      if (last?.kind === kind)
        pieces[pieces.length - 1] = { kind, text: last.text + part["text"], parts: last.parts + 1 };
      else pieces.push({ kind, text: part["text"], parts: 1 });
    } else if (call?.["willContinue"] === true || call?.["partialArgs"] !== undefined) {
      const { partialArgs: _pieces, willContinue, ...head } = call;
      const args = new Map<string, unknown>();
      addArgs(args, call);
      if (willContinue === true) open = args;
      pieces.push({ kind: "call", head: JSON.stringify({ ...part, functionCall: head }), args });
    } else pieces.push({ kind: "part", json: JSON.stringify(part) });
  }
  return pieces;
}

function addArgs(args: Map<string, unknown>, call: Chunk): void {
  for (const { jsonPath, stringValue, numberValue, boolValue } of (call["partialArgs"] ?? []) as readonly Chunk[]) {
    const path = String(jsonPath);
    if (typeof stringValue === "string")
      args.set(path, `${(args.get(path) as string | undefined) ?? ""}${stringValue}`);
    else args.set(path, numberValue ?? boolValue ?? null);
  }
}

/** The first piece that differs between two contents; undefined if they are the same. */
export function pieceLost(received: readonly Piece[], kept: readonly Piece[]): string | undefined {
  for (let i = 0; i < Math.max(received.length, kept.length); i++) {
    const [came, stays] = [received[i], kept[i]];
    if (came === undefined) return `${describe(stays)} came from nowhere`;
    if (stays === undefined) return `${describe(came)} is gone`;
    const same = came.kind === "call" ? isAssembled(came, stays) : textOf(came) === textOf(stays);
    if (!same) return `${describe(came)} became ${describe(stays)}`;
  }
  return undefined;
}

/** The whole call: its other fields as received, and the pieces of its arguments by path. */
function isAssembled({ head, args }: Piece & { readonly kind: "call" }, stays: Piece): boolean {
  if (stays.kind !== "part") return false;
  const part = JSON.parse(stays.json) as Chunk;
  const { args: kept, ...rest } = part["functionCall"] as Chunk;
  if (JSON.stringify({ ...part, functionCall: rest }) !== head) return false;
  const whole = new Map(
    leavesOf(kept)
      .filter(({ path }) => path !== "")
      .map(({ path, value }: Leaf) => [`$.${path}`, value]),
  );
  return whole.size === args.size && [...args].every(([path, value]) => Object.is(whole.get(path), value));
}

function textOf(piece: Piece): string {
  return piece.kind === "part" ? piece.json : piece.kind === "call" ? piece.head : `${piece.kind}: ${piece.text}`;
}

function describe(piece: Piece | undefined): string {
  const text = piece === undefined ? "nothing" : textOf(piece);
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}
