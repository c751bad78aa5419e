import type { IncomingRequest } from "../incoming-request.ts";
import { isFields } from "../internal/json.ts";
import { pageOf } from "../internal/page.ts";
import type { ResourceAnswer } from "../resource-answer.ts";
import { callerOf } from "../validate/auth.ts";
import { readBody } from "../validate/body.ts";
import { filePermissionProblem } from "../validate/media.ts";
import { problem } from "../validate/problem.ts";
import { fileJson } from "./file-json.ts";
import type { FileStore } from "./file-store.ts";
import type { UploadStart, Uploads } from "./uploads.ts";

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
      return startUpload(route, incoming, uploads);
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

function startUpload({ apiVersion }: FileRoute, incoming: IncomingRequest, uploads: Uploads): ResourceAnswer {
  const { headers, url, body } = incoming;
  const read = readBody(body, "CreateFileRequest", { surface: "developer", old: false, oldV1: false, apiVersion });
  if (!("raw" in read)) return { operation: "startUpload", problems: read };
  const host = headers.get("host");
  const origin = host === null ? url.origin : `${url.protocol}//${host}`;
  // The fields have been checked against the descriptor.
  const file = (isFields(read.value["file"]) ? read.value["file"] : {}) as UploadStart["file"];
  return uploads.start({ owner: callerOf(incoming), origin, apiVersion, headers, file });
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
