import { brotliCompressSync, brotliDecompressSync, deflateSync, gunzipSync, gzipSync, inflateSync } from "node:zlib";
import { redactBytes } from "@pollux/core/wire";

/** A body that is not text, safe to record. */
export interface ScrubbedBytes {
  /** Empty if the body was left out. */
  readonly bytes: Uint8Array;
  /** How the body was changed; undefined for an unchanged body. */
  readonly note?: string | undefined;
}

/** Facts about a body. */
export interface BytesFacts {
  /** The `content-encoding` of the answer. The body may have been decoded. */
  readonly encoding: string | null;
  /** True if the body is incomplete, and may end with the beginning of a secret. */
  readonly truncated: boolean;
  /** True keeps a body that cannot be searched. */
  readonly keepUnsearchable: boolean;
}

/** Limit of a decompressed body, in bytes. */
const MAX_UNPACKED = 256 * 2 ** 20;

/** Layers of compression that are unpacked. */
const MAX_LAYERS = 3;

/**
 * Removes secrets from a body of any kind. Overwrites them in place, so that its length and all offsets in it stay the same. Unpacks
 * gzip, deflate and Brotli, and packs the body again if it held a secret. Leaves out a body that cannot be searched, such as an
 * archive.
 */
export function scrubBytes(bytes: Uint8Array, secrets: readonly string[], facts: BytesFacts): ScrubbedBytes {
  const clean = scrubbed(bytes, secrets, facts, MAX_LAYERS);
  if (clean === bytes) return { bytes };
  if (typeof clean === "string") {
    if (facts.keepUnsearchable) return { bytes };
    return {
      bytes: new Uint8Array(),
      note: `left out, since ${clean} can't be searched for secrets: ${bytes.length} bytes`,
    };
  }
  const length = clean.length === bytes.length ? "" : `; it has ${clean.length} bytes instead of ${bytes.length}`;
  return { bytes: clean, note: `secrets were overwritten${length}` };
}

/** The same bytes if they hold no secret; a description of them if they cannot be searched. */
function scrubbed(
  bytes: Uint8Array,
  secrets: readonly string[],
  facts: BytesFacts,
  layers: number,
): Uint8Array | string {
  const packing = packingOf(bytes, facts.encoding);
  if (packing !== undefined) {
    const unpacked = layers > 0 ? unpack(packing, bytes) : undefined;
    // The header stays when a client has decoded the body; only gzip is recognizable by its bytes.
    if (unpacked === undefined && packing === PACKINGS.gzip) return "an incomplete, damaged or huge gzip body";
    if (unpacked !== undefined) {
      const clean = scrubbed(unpacked, secrets, { ...facts, encoding: null }, layers - 1);
      if (typeof clean === "string") return clean;
      return clean === unpacked ? bytes : packing.pack(clean);
    }
  }
  return unsearchable(bytes) ?? redactBytes(bytes, secrets, facts);
}

interface Packing {
  readonly unpack: (bytes: Uint8Array, options: { readonly maxOutputLength: number }) => Uint8Array;
  readonly pack: (bytes: Uint8Array) => Uint8Array;
}

const PACKINGS = {
  gzip: { unpack: gunzipSync, pack: (bytes) => gzipSync(bytes) },
  deflate: { unpack: inflateSync, pack: (bytes) => deflateSync(bytes) },
  br: { unpack: brotliDecompressSync, pack: (bytes) => brotliCompressSync(bytes) },
} as const satisfies { readonly [encoding: string]: Packing };

function packingOf(bytes: Uint8Array, encoding: string | null): Packing | undefined {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return PACKINGS.gzip;
  return encoding === "deflate" || encoding === "br" ? PACKINGS[encoding] : undefined;
}

function unpack({ unpack: run }: Packing, bytes: Uint8Array): Uint8Array | undefined {
  try {
    return run(bytes, { maxOutputLength: MAX_UNPACKED });
  } catch {
    return undefined;
  }
}

/** First bytes of formats that compress or encrypt their contents. */
const UNSEARCHABLE: readonly (readonly [start: string, what: string])[] = [
  ["PK\x03\x04", "a ZIP archive or an office document"],
  ["%PDF-", "a PDF"],
  ["7z\xbc\xaf\x27\x1c", "a 7z archive"],
  ["Rar!", "a RAR archive"],
  ["BZh", "a bzip2 body"],
  ["\xfd7zXZ", "an xz body"],
  ["\x28\xb5\x2f\xfd", "a Zstandard body"],
];

function unsearchable(bytes: Uint8Array): string | undefined {
  const start = Buffer.from(bytes.subarray(0, 8)).toString("latin1");
  return UNSEARCHABLE.find(([magic]) => start.startsWith(magic))?.[1];
}
