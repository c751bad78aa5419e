import type { Part } from "../wire/types/content.ts";

/**
 * 16-bit samples without a header: little-endian as in WAV, though `L16` is big-endian by RFC 2586.
 * @see https://github.com/crmne/ruby_llm/blob/2412741abfe0d9c68a9221d38690cf75c5e25b0f/spec/fixtures/vcr_cassettes/speech_basic_functionality_gemini_gemini-2_5-flash-preview-tts_can_generate_audio_from_text.yml
 */
const PCM = /^audio\/(?:l16|pcm)\s*(?:$|;)/i;

/** A sound made by the model: a whole speech, in any number of pieces. Nothing is decoded until it is read. */
export class OutputAudio {
  /** As received. `audio/L16;codec=pcm;rate=24000` stands for samples without a header, which players refuse. */
  readonly mimeType: string;
  /** Base64, unchanged: one piece for each part. */
  readonly pieces: readonly string[];
  /** Samples per second. Like the channels and the duration, absent for a format with a header. */
  readonly rate?: number;
  readonly channels?: number;
  readonly durationMs?: number;

  constructor({ mimeType, pieces }: Pick<OutputAudio, "mimeType" | "pieces">) {
    this.mimeType = mimeType;
    this.pieces = pieces;
    if (!PCM.test(mimeType)) return;
    this.rate = Number(/;\s*rate=(\d+)/i.exec(mimeType)?.[1]) || 24_000;
    this.channels = Number(/;\s*channels=(\d+)/i.exec(mimeType)?.[1]) || 1;
    this.durationMs = Math.round((countBytes(pieces) * 500) / (this.rate * this.channels));
  }

  /** The sound as received, decoded on each access. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return decodePieces(this.pieces);
  }

  /** A WAV file; a format with a header, such as MP3, is returned as received. */
  toWav(): Uint8Array<ArrayBuffer> {
    const { rate, channels = 1 } = this;
    if (rate === undefined) return this.bytes;
    const wav = decodePieces(this.pieces, 44);
    const [frame, size] = [channels * 2, wav.length - 44];
    const header = new DataView(wav.buffer);
    // "RIFF", "WAVE", "fmt " (16 bytes, 1 for PCM), and "data".
    const words = [0x46464952, size + 36, 0x45564157, 0x20746d66, 16, (channels << 16) | 1, rate, rate * frame];
    words.push((16 << 16) | frame, 0x61746164, size);
    for (const [index, word] of words.entries()) header.setUint32(index * 4, word, true);
    return wav;
  }
}

/** The sounds in some parts: consecutive samples of one type are one sound. */
export function listAudio(parts: readonly Part[]): readonly OutputAudio[] {
  const sounds: (Pick<OutputAudio, "mimeType"> & { readonly pieces: string[] })[] = [];
  let open: (typeof sounds)[number] | undefined;
  for (const { inlineData, thought, text } of parts) {
    if (thought !== true && inlineData?.data && inlineData.mimeType?.startsWith("audio/")) {
      const { mimeType, data } = inlineData;
      if (open?.mimeType === mimeType && PCM.test(mimeType)) open.pieces.push(data);
      else sounds.push((open = { mimeType, pieces: [data] }));
    } else if (text !== "") open = undefined;
  }
  return sounds.map((sound) => new OutputAudio(sound));
}

function countBytes(pieces: readonly string[]): number {
  return pieces.reduce((sum, piece) => sum + Math.floor((piece.replace(/=+$/, "").length * 3) / 4), 0);
}

/** The bytes of base64, after room for a header. */
export function decodePieces(pieces: readonly string[], headerBytes: number = 0): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(headerBytes + countBytes(pieces));
  let at = headerBytes;
  for (const piece of pieces)
    for (const character of atob(piece.replaceAll("-", "+").replaceAll("_", "/")))
      bytes[at++] = character.charCodeAt(0);
  return bytes;
}
