import type { Brain } from "./brain/brain.ts";
import type { CacheOptions } from "./caches/cache-options.ts";
import type { FaultRule } from "./fault/fault.ts";
import type { DecisionOptions } from "./decisions/answer-decisions.ts";
import type { InteractionOptions } from "./interactions/answer-interactions.ts";
import type { FileSearchOptions } from "./file-search/file-search-options.ts";
import type { FileOptions } from "./files/file-options.ts";
import type { LoggedRequest } from "./request-log.ts";
import type { Framing } from "./respond/framing.ts";
import type { StrictSwitches } from "./validate/switches.ts";
import type { Profile } from "./validate/types.ts";

/** Options of an emulator. By default, it emulates the Gemini Developer API and has no brain. */
export interface EmulatorOptions {
  /** Which service to emulate. Default: `developer`. */
  readonly profile?: Profile | undefined;
  /** Writes the answers: `script([…])`, `replay(recording)`, or `improvise()` from `@pollux/emulator/improvise`. Default: none; a request for an answer is refused. */
  readonly brain?: Brain | undefined;
  /** Which faults occur, and when. Default: none. The first rule that matches a request wins. */
  readonly faults?: readonly FaultRule[] | undefined;
  /** Accepted keys. Default: any non-empty key that doesn't start with `bad`, `expired`, `invalid` or `leaked`. */
  readonly keys?: readonly string[] | undefined;
  /** Settings for behavior of the service that isn't publicly known. */
  readonly strict?: StrictSwitches | undefined;
  /** The same seed gives the same ids and signatures. Default: `"pollux"`. */
  readonly seed?: string | undefined;
  readonly delays?:
    | {
        /** Milliseconds before the headers of an answer. Default: 0. */
        readonly firstByteMs?: number | undefined;
        /** Milliseconds between the chunks of a stream. Default: 0. */
        readonly chunkMs?: number | undefined;
      }
    | undefined;
  /** Byte layout of streams. */
  readonly framing?: Framing | undefined;
  /** Length of a text delta in characters, at least 2. Default: 32. */
  readonly deltaCharacters?: number | undefined;
  /** False omits the ids of calls, as some servers of Gemini 3 do. Default: present if the model sends them. */
  readonly callIds?: boolean | undefined;
  /** How long answers of Gemini 4 are split into hops. */
  readonly longDecode?:
    | {
        /** Tokens per hop, including thinking. Default: 32,768 unary (65,536 on Hydrogen), 65,536 as a stream. */
        readonly hopTokens?: number | undefined;
        /** Chunks of a stream between two continuation tokens; 0 for none. Default: 8. */
        readonly checkpointEvery?: number | undefined;
      }
    | undefined;
  /** Signs one in eight search responses with more than 100 KB, as the service does. Default: true. */
  readonly largeSignatures?: boolean | undefined;
  /** How long uploaded files are processed, and which ones fail. Their bytes are counted, not stored. */
  readonly files?: FileOptions | undefined;
  /** The shape of operations on file search stores, how long documents are pending, and the storage limit. */
  readonly fileSearch?: FileSearchOptions | undefined;
  /** Scripts decisions. */
  readonly decisions?: DecisionOptions | undefined;
  /** Scripts agents; sets how background work ends, and which webhook reports it. */
  readonly interactions?: InteractionOptions | undefined;
  /** Minimum size and expiry of cached contents. */
  readonly caches?: CacheOptions | undefined;
  /** The clock for `createTime`, and for the expiry of files and cached contents. Default: the real one. */
  readonly now?: (() => Date) | undefined;
  /** Called for each request once it has been answered. */
  readonly onAnswered?: ((request: LoggedRequest) => void) | undefined;
}
