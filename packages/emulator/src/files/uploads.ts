import { createHash, type Hash } from "node:crypto";
import { createRandom, type Random } from "../internal/random.ts";
import type { ResourceAnswer } from "../resource-answer.ts";
import type { Problem } from "../validate/problem.ts";
import { fileJson } from "./file-json.ts";
import type { FileOptions } from "./file-options.ts";
import type { FileStore } from "./file-store.ts";

/** Options of a new upload. */
export interface UploadStart {
  readonly owner: string;
  /** URL of the service, without a trailing slash. */
  readonly origin: string;
  /** Version in the path, such as `v1beta`. */
  readonly apiVersion: string;
  readonly headers: Headers;
  /** The `file` member of the body. */
  readonly file: { readonly name?: string | undefined; readonly displayName?: string; readonly mimeType?: string };
}

interface Upload extends Pick<UploadStart, "owner" | "origin" | "apiVersion"> {
  readonly name: string;
  readonly displayName: string | undefined;
  readonly mimeType: string;
  readonly declaredBytes: number | undefined;
  readonly hash: Hash;
  receivedBytes: number;
  status: "active" | "final" | "cancelled";
}

const MAX_UPLOADS = 1000;
const MAX_BYTES = 2_147_483_648;
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
  readonly #files: FileStore;
  readonly #options: FileOptions;

  constructor(files: FileStore, options: FileOptions, seed: string) {
    this.#files = files;
    this.#options = options;
    this.#random = createRandom(`${seed} uploads`);
  }

  start({ owner, origin, apiVersion, headers, file }: UploadStart): ResourceAnswer {
    const operation = "startUpload";
    const declared = headers.get("x-goog-upload-header-content-length");
    const declaredBytes = declared === null ? undefined : Number(declared);
    const found = this.#startProblem(headers, declaredBytes) ?? this.#nameProblem(file.name);
    if (found) return { operation, problems: [found] };
    const id = this.#random.id(64);
    const mimeType = headers.get("x-goog-upload-header-content-type") ?? file.mimeType;
    this.#uploads.set(id, {
      owner,
      origin,
      apiVersion,
      name: file.name || this.#files.nextName(),
      displayName: file.displayName,
      mimeType: file.mimeType || mimeType || "application/octet-stream",
      declaredBytes,
      hash: createHash("sha256"),
      receivedBytes: 0,
      status: "active",
    });
    if (this.#uploads.size > MAX_UPLOADS) this.#uploads.delete([...this.#uploads.keys()][0] ?? "");
    const address = `${origin}/upload/${apiVersion}/files?upload_id=${id}&upload_protocol=resumable`;
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
    const said = (body?: object): ResourceAnswer => ({ operation, body, headers: statusOf(upload) });
    if (command === "query") return said();
    const found = this.#chunkProblem(upload, command, headers, bytes);
    if (found) return { operation, problems: [broken(found)], headers: statusOf(upload) };
    if (command === "cancel") {
      upload.status = "cancelled";
      return said();
    }
    upload.hash.update(bytes);
    upload.receivedBytes += bytes.length;
    if (!command.endsWith("finalize")) return said();
    if (this.#files.isTaken(upload.name)) return { operation, problems: [taken(upload.name)] };
    upload.status = "final";
    const { owner, origin, apiVersion, name, displayName, mimeType, receivedBytes, hash } = upload;
    const file = this.#files.add({
      owner,
      name,
      displayName,
      mimeType,
      sizeBytes: receivedBytes,
      uri: `${origin}/${apiVersion}/${name}`,
      // The service encodes the hexadecimal digits, not the bytes.
      sha256: Buffer.from(hash.digest("hex")).toString("base64"),
    });
    return said({ file: fileJson(file, this.#files.progress(file)) });
  }

  get #chunkBytes(): number {
    return this.#options.chunkBytes ?? CHUNK_BYTES;
  }

  #startProblem(headers: Headers, declaredBytes: number | undefined): Problem | undefined {
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
    return this.#sizeProblem(declaredBytes ?? 0);
  }

  #sizeProblem(bytes: number): Problem | undefined {
    const { maxBytes = MAX_BYTES } = this.#options;
    return bytes > maxBytes ? broken(`The file is larger than the limit of ${maxBytes} bytes.`) : undefined;
  }

  #nameProblem(name: string | undefined): Problem | undefined {
    if (!name) return undefined;
    if (!/^files\/[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/.test(name)) {
      const message = `* CreateFileRequest.file.name: ${name} must be files/ and at most 40 lowercase letters, digits and dashes, no dash at either end.`;
      return { rule: "F-2", message };
    }
    return this.#files.isTaken(name) ? taken(name) : undefined;
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
    return this.#sizeProblem(total)?.message;
  }
}

function statusOf({ status, receivedBytes }: Upload): Record<string, string> {
  return { "x-goog-upload-status": status, "x-goog-upload-size-received": String(receivedBytes) };
}

function broken(message: string): Problem {
  return { rule: "F-1", message };
}

function taken(name: string): Problem {
  return { rule: "F-2", message: `Requested entity already exists: ${name}`, status: "ALREADY_EXISTS" };
}
