import type { Brain } from "./brain/brain.ts";
import type { CacheOptions } from "./caches/cache-options.ts";
import type { FaultRule } from "./fault/fault.ts";
import type { FileOptions } from "./files/file-options.ts";
import type { LoggedRequest } from "./request-log.ts";
import type { Framing } from "./respond/framing.ts";
import type { StrictSwitches } from "./validate/switches.ts";
import type { Profile } from "./validate/types.ts";

/** How an emulator behaves. Everything has a default; the defaults are the Gemini Developer API answered by `improvise()`. */
export interface EmulatorOptions {
  /** Which service it speaks as. Default: `developer`. */
  readonly profile?: Profile | undefined;
  /** Who answers. Default: `improvise()`. */
  readonly brain?: Brain | undefined;
  /** What goes wrong, and when. Default: nothing. The first rule that fits a request wins. */
  readonly faults?: readonly FaultRule[] | undefined;
  /** Keys it accepts. Default: any non-empty key but ones starting with `bad` or `invalid`. */
  readonly keys?: readonly string[] | undefined;
  /** What nobody outside can know about the service. */
  readonly strict?: StrictSwitches | undefined;
  /** The same seed gives the same ids, signatures and improvised answers. Default: `"pollux"`. */
  readonly seed?: string | undefined;
  readonly delays?:
    | {
        /** Milliseconds before the headers of an answer. Default: 0. */
        readonly firstByteMs?: number | undefined;
        /** Milliseconds between the chunks of a stream. Default: 0. */
        readonly chunkMs?: number | undefined;
      }
    | undefined;
  /** Layout of a stream's bytes. */
  readonly framing?: Framing | undefined;
  /** Characters of a text delta, at least 2. Default: 32. */
  readonly deltaCharacters?: number | undefined;
  /** False leaves out the ids of calls, as some servers of Gemini 3 do. Default: given where the model gives them. */
  readonly callIds?: boolean | undefined;
  /** How long answers of Gemini 4 come in hops. */
  readonly longDecode?:
    | {
        /** Tokens of one hop, thinking included. Default: 32,768 unary (65,536 on Hydrogen), 65,536 as a stream. */
        readonly hopTokens?: number | undefined;
        /** Chunks of a stream between two continuation tokens; 0 for none. Default: 8. */
        readonly checkpointEvery?: number | undefined;
      }
    | undefined;
  /** Signs one in eight search responses with more than 100 KB, as the service does. Default: true. */
  readonly largeSignatures?: boolean | undefined;
  /** How long uploaded files are being processed, and which fail. Their bytes are measured, not kept. */
  readonly files?: FileOptions | undefined;
  /** How small cached contents may be, and when they expire. */
  readonly caches?: CacheOptions | undefined;
  /** The clock behind `createTime`, and behind the expiry of files and cached contents. Default: the real one. */
  readonly now?: (() => Date) | undefined;
  /** Told of each request once it is answered. */
  readonly onAnswered?: ((request: LoggedRequest) => void) | undefined;
}
