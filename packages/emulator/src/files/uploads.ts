import { createHash, type Hash } from "node:crypto";
import { createRandom, type Random } from "../internal/random.ts";
import type { ResourceAnswer } from "../resource-answer.ts";
import type { Problem } from "../validate/problem.ts";
import type { FileOptions } from "./file-options.ts";

/** Options of a new upload. */
export interface UploadStart {
  /** URL of the service, without a trailing slash. */
  readonly origin: string;
  /** Version in the path, such as `v1beta`. */
  readonly apiVersion: string;
  readonly headers: Headers;
  readonly target: UploadTarget;
}

/** The resource that an upload creates. */
export interface UploadTarget {
  /** Its path, below `upload/{version}/`. */
  readonly path: string;
  /** Default: the type in the headers. */
  readonly mimeType?: string | undefined;
  /** Largest upload. */
  readonly maxBytes: number;
  /** Keeps the bytes for `finish`. Default: false; they are only counted. */
  readonly keepsBytes?: boolean | undefined;
  /** The problem with an upload of this size, checked when it starts and when it ends. */
  problem(bytes: number): Problem | undefined;
  /** JSON of the created resource. */
  finish(uploaded: Uploaded): object;
}

/** A finished upload. */
export interface Uploaded {
  readonly mimeType: string;
  readonly sizeBytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  /** Empty unless the target keeps bytes. */
  readonly bytes: Uint8Array;
}

interface Upload {
  readonly target: UploadTarget;
  readonly mimeType: string;
  readonly declaredBytes: number | undefined;
  readonly hash: Hash;
  readonly kept: Uint8Array[];
  receivedBytes: number;
  status: "active" | "final" | "cancelled";
  /** JSON of the created resource. */
  created: object | undefined;
}

const MAX_UPLOADS = 1000;
const CHUNK_BYTES = 262_144;

/**
 * Uploads in progress. Each is started, receives chunks at its current offset, and is finalized; `query` reports the offset and
 * `cancel` abandons it.
 *
 * @see https://ai.google.dev/api/files
 */
export class Uploads {
  readonly #uploads = new Map<string, Upload>();
  readonly #random: Random;
  readonly #options: Pick<FileOptions, "chunkBytes">;

  constructor(options: Pick<FileOptions, "chunkBytes">, seed: string) {
    this.#options = options;
    this.#random = createRandom(`${seed} uploads`);
  }

  start({ origin, apiVersion, headers, target }: UploadStart): ResourceAnswer {
    const operation = "startUpload";
    const declared = headers.get("x-goog-upload-header-content-length");
    const declaredBytes = declared === null ? undefined : Number(declared);
    const found = startProblem(headers, declaredBytes, target) ?? target.problem(declaredBytes ?? 0);
    if (found) return { operation, problems: [found] };
    const id = this.#random.id(64);
    this.#uploads.set(id, {
      target,
      mimeType: target.mimeType || headers.get("x-goog-upload-header-content-type") || "application/octet-stream",
      declaredBytes,
      hash: createHash("sha256"),
      kept: [],
      receivedBytes: 0,
      status: "active",
      created: undefined,
    });
    if (this.#uploads.size > MAX_UPLOADS) this.#uploads.delete([...this.#uploads.keys()][0] ?? "");
    const address = `${origin}/upload/${apiVersion}/${target.path}?upload_id=${id}&upload_protocol=resumable`;
    return {
      operation,
      body: undefined,
      headers: {
        "x-goog-upload-status": "active",
        "x-goog-upload-url": address,
        "x-goog-upload-control-url": address,
        "x-goog-upload-chunk-granularity": String(this.#chunkBytes),
      },
    };
  }

  /** Answers a request to an upload's URL. */
  resume(id: string, headers: Headers, bytes: Uint8Array): ResourceAnswer {
    const command = (headers.get("x-goog-upload-command") ?? "").toLowerCase().replaceAll(/\s/g, "");
    const operation = "upload";
    const upload = this.#uploads.get(id);
    if (upload === undefined) {
      return { operation, problems: [{ rule: "F-1", message: "Upload not found.", status: "NOT_FOUND" }] };
    }
    const reply = (body?: object): ResourceAnswer => ({ operation, body, headers: statusOf(upload) });
    // That a query after the end returns the created resource again is a guess.
    if (command === "query") return reply(upload.created);
    const found = this.#chunkProblem(upload, command, headers, bytes);
    if (found) return { operation, problems: [broken(found)], headers: statusOf(upload) };
    if (command === "cancel") {
      upload.status = "cancelled";
      return reply();
    }
    upload.hash.update(bytes);
    if (upload.target.keepsBytes === true) upload.kept.push(bytes);
    upload.receivedBytes += bytes.length;
    if (!command.endsWith("finalize")) return reply();
    const { target, mimeType, receivedBytes: sizeBytes, hash, kept } = upload;
    const late = target.problem(sizeBytes);
    if (late) return { operation, problems: [late], headers: statusOf(upload) };
    upload.status = "final";
    upload.created = target.finish({ mimeType, sizeBytes, sha256: hash.digest("hex"), bytes: Buffer.concat(kept) });
    kept.length = 0;
    return reply(upload.created);
  }

  get #chunkBytes(): number {
    return this.#options.chunkBytes ?? CHUNK_BYTES;
  }

  #chunkProblem(upload: Upload, command: string, headers: Headers, bytes: Uint8Array): string | undefined {
    const { receivedBytes, declaredBytes, status } = upload;
    if (status !== "active") return "Upload has already been terminated.";
    if (command === "cancel") return undefined;
    if (!["upload", "upload,finalize", "finalize"].includes(command)) {
      return `Unknown X-Goog-Upload-Command: ${command === "" ? "none" : command}.`;
    }
    const total = receivedBytes + bytes.length;
    const finalizes = command.endsWith("finalize");
    if (command === "finalize" && bytes.length > 0) return "The command finalize takes no bytes.";
    if (command !== "finalize" && headers.get("x-goog-upload-offset") !== String(receivedBytes)) {
      return `The upload is at offset ${receivedBytes}, not ${headers.get("x-goog-upload-offset") ?? "given"}.`;
    }
    if (!finalizes && bytes.length % this.#chunkBytes !== 0) {
      return `A chunk before the last must be a multiple of ${this.#chunkBytes} bytes, not ${bytes.length}.`;
    }
    if (declaredBytes !== undefined && (total > declaredBytes || (finalizes && total !== declaredBytes))) {
      return `${total} bytes were uploaded where ${declaredBytes} were declared.`;
    }
    return sizeProblem(total, upload.target)?.message;
  }
}

function startProblem(headers: Headers, declaredBytes: number | undefined, target: UploadTarget): Problem | undefined {
  const protocol = headers.get("x-goog-upload-protocol");
  if (protocol !== "resumable") {
    return broken(
      `Unsupported upload protocol: ${protocol ?? "none"}. Please set X-Goog-Upload-Protocol to resumable.`,
    );
  }
  if (headers.get("x-goog-upload-command") !== "start") {
    return broken("A resumable upload begins with X-Goog-Upload-Command: start.");
  }
  if (declaredBytes !== undefined && !(Number.isInteger(declaredBytes) && declaredBytes >= 0)) {
    return broken("X-Goog-Upload-Header-Content-Length is not a number of bytes.");
  }
  return sizeProblem(declaredBytes ?? 0, target);
}

function sizeProblem(bytes: number, { maxBytes }: UploadTarget): Problem | undefined {
  return bytes > maxBytes ? broken(`The file is larger than the limit of ${maxBytes} bytes.`) : undefined;
}

function statusOf({ status, receivedBytes }: Upload): Record<string, string> {
  return { "x-goog-upload-status": status, "x-goog-upload-size-received": String(receivedBytes) };
}

function broken(message: string): Problem {
  return { rule: "F-1", message };
}
