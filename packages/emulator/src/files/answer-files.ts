import { type IncomingRequest, originOf } from "../incoming-request.ts";
import { isFields } from "../internal/json.ts";
import { pageOf } from "../internal/page.ts";
import type { ResourceAnswer } from "../resource-answer.ts";
import { callerOf } from "../validate/auth.ts";
import { readBody } from "../validate/body.ts";
import { filePermissionProblem } from "../validate/media.ts";
import { type Problem, problem } from "../validate/problem.ts";
import { fileJson } from "./file-json.ts";
import type { FileStore } from "./file-store.ts";
import type { Uploads, UploadTarget } from "./uploads.ts";

/** A parsed address of the Files API. */
export type FileRoute = { readonly apiVersion: string } & (
  | { readonly kind: "startUpload" | "listFiles" }
  | { readonly kind: "upload"; readonly id: string }
  | { readonly kind: "getFile" | "deleteFile"; readonly name: string }
);

/** Parses method and path; undefined if they don't address the Files API. */
export function parseFileRoute(method: string, url: URL): FileRoute | undefined {
  const [, upload, apiVersion = "", id] =
    /^\/(upload\/)?(v1beta|v1alpha|v1)\/files(?:\/([^/:]+))?$/.exec(url.pathname.replaceAll(/\/{2,}/g, "/")) ?? [];
  if (apiVersion === "") return undefined;
  if (upload !== undefined) {
    if (id !== undefined || (method !== "POST" && method !== "PUT")) return undefined;
    const uploadId = url.searchParams.get("upload_id");
    return uploadId === null ? { apiVersion, kind: "startUpload" } : { apiVersion, kind: "upload", id: uploadId };
  }
  if (id === undefined) return method === "GET" ? { apiVersion, kind: "listFiles" } : undefined;
  if (method !== "GET" && method !== "DELETE") return undefined;
  return { apiVersion, kind: method === "GET" ? "getFile" : "deleteFile", name: `files/${id}` };
}

/** Answers a request to the Files API. */
export function answerFiles(
  route: FileRoute,
  incoming: IncomingRequest,
  files: FileStore,
  uploads: Uploads,
): ResourceAnswer {
  const owner = callerOf(incoming);
  switch (route.kind) {
    case "startUpload":
      return startUpload(route, incoming, files, uploads);
    case "upload":
      return uploads.resume(route.id, incoming.headers, incoming.bytes);
    case "listFiles":
      return listFiles(files, owner, incoming.url.searchParams);
    default: {
      const { kind, name } = route;
      const file = files.find(name, owner);
      if (file === undefined) return { operation: kind, problems: [filePermissionProblem(name)] };
      if (kind === "getFile") return { operation: kind, body: fileJson(file, files.progress(file, "poll")) };
      files.delete(name);
      return { operation: kind, body: {} };
    }
  }
}

function startUpload(
  { apiVersion }: FileRoute,
  incoming: IncomingRequest,
  files: FileStore,
  uploads: Uploads,
): ResourceAnswer {
  const { headers, body } = incoming;
  const read = readBody(body, "CreateFileRequest", { surface: "developer", old: false, oldV1: false, apiVersion });
  if (!("raw" in read)) return { operation: "startUpload", problems: read };
  const origin = originOf(incoming);
  const owner = callerOf(incoming);
  // The fields have been checked against the descriptor.
  const given = (isFields(read.value["file"]) ? read.value["file"] : {}) as GivenFile;
  const name = given.name || files.nextName();
  const target: UploadTarget = {
    path: "files",
    mimeType: given.mimeType,
    maxBytes: files.maxBytes,
    problem: () => nameProblem(files, name),
    finish: ({ mimeType, sizeBytes, sha256 }) => {
      const file = files.add({
        owner,
        name,
        displayName: given.displayName,
        mimeType,
        sizeBytes,
        uri: `${origin}/${apiVersion}/${name}`,
        // The service encodes the hexadecimal digits, not the bytes.
        sha256: Buffer.from(sha256).toString("base64"),
      });
      return { file: fileJson(file, files.progress(file)) };
    },
  };
  return uploads.start({ origin, apiVersion, headers, target });
}

interface GivenFile {
  readonly name?: string;
  readonly displayName?: string;
  readonly mimeType?: string;
}

function nameProblem(files: FileStore, name: string): Problem | undefined {
  if (!/^files\/[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/.test(name)) {
    const message = `* CreateFileRequest.file.name: ${name} must be files/ and at most 40 lowercase letters, digits and dashes, no dash at either end.`;
    return { rule: "F-2", message };
  }
  if (!files.isTaken(name)) return undefined;
  return { rule: "F-2", message: `Requested entity already exists: ${name}`, status: "ALREADY_EXISTS" };
}

function listFiles(files: FileStore, owner: string, query: URLSearchParams): ResourceAnswer {
  const operation = "listFiles";
  const page = pageOf(files.list(owner), query, { default: 10, max: 100 });
  if (page === undefined) return { operation, problems: [problem("F-3", "Request contains an invalid argument.")] };
  const { items, nextPageToken } = page;
  return {
    operation,
    body: {
      ...(items.length > 0 && { files: items.map((file) => fileJson(file, files.progress(file))) }),
      ...(nextPageToken !== undefined && { nextPageToken }),
    },
  };
}
