import type { FileStore } from "../files/file-store.ts";
import type { UploadTarget, Uploads } from "../files/uploads.ts";
import { type IncomingRequest, originOf } from "../incoming-request.ts";
import type { Fields } from "../internal/json.ts";
import { pageOf } from "../internal/page.ts";
import type { ResourceAnswer } from "../resource-answer.ts";
import { callerOf } from "../validate/auth.ts";
import { readBody } from "../validate/body.ts";
import { filePermissionProblem } from "../validate/media.ts";
import { type Problem, problem } from "../validate/problem.ts";
import { notFound, precondition } from "./file-search-rules.ts";
import { metadataIn, readPages, type SearchStore, type SearchStores } from "./search-stores.ts";

/** A parsed address of file search stores. */
export type FileSearchRoute = {
  readonly kind: "upload" | "fileSearch";
  readonly method: string;
  readonly apiVersion: string;
  readonly uploads: boolean;
  readonly store: string | undefined;
  readonly collection: string | undefined;
  readonly id: string | undefined;
  readonly verb: string | undefined;
};

const PATH =
  /^\/(upload\/)?(v1beta|v1alpha|v1)\/fileSearchStores(?:\/([^/:]+))?(?:\/(documents|operations|upload\/operations)(?:\/([^/:]+))?)?(?::(\w+))?$/;

/** Parses method and path; undefined if they don't address file search stores. */
export function parseFileSearchRoute(method: string, url: URL): FileSearchRoute | undefined {
  const [path, upload, apiVersion = "", store, collection, id, verb] = PATH.exec(url.pathname) ?? [];
  if (path === undefined) return undefined;
  const kind = upload !== undefined && url.searchParams.has("upload_id") ? "upload" : "fileSearch";
  const named = store === undefined ? undefined : `fileSearchStores/${store}`;
  return { kind, method, apiVersion, uploads: upload !== undefined, store: named, collection, id, verb };
}

/** Answers a request to file search stores; undefined if the service has no such method. */
export function answerFileSearch(
  route: FileSearchRoute,
  incoming: IncomingRequest,
  { stores, files, uploads }: { readonly stores: SearchStores; readonly files: FileStore; readonly uploads: Uploads },
): ResourceAnswer | undefined {
  const { method, verb, collection, id, apiVersion } = route;
  const owner = callerOf(incoming);
  const query = incoming.url.searchParams;
  const answered = (operation: string, body: object | Problem): ResourceAnswer =>
    "rule" in body ? { operation, problems: [body] } : { operation, body };
  const read = (message: string): ReturnType<typeof readBody> =>
    readBody(incoming.body, message, { surface: "developer", old: false, oldV1: false, apiVersion });
  if (route.kind === "upload") return uploads.resume(query.get("upload_id") ?? "", incoming.headers, incoming.bytes);
  if (route.store === undefined) {
    if (method === "GET")
      return answered(
        "listFileSearchStores",
        page(stores.list(owner), query, "fileSearchStores", (one) => stores.storeJson(one)),
      );
    if (method !== "POST") return undefined;
    const body = read("FileSearchStore");
    if (!("raw" in body)) return { operation: "createFileSearchStore", problems: body };
    // The fields have been checked against the descriptor.
    const { displayName, embeddingModel } = body.value as { displayName?: string; embeddingModel?: string };
    if ((displayName ?? "").length > 512)
      return answered("createFileSearchStore", problem("K-8", "displayName must have at most 512 characters."));
    return answered("createFileSearchStore", stores.storeJson(stores.create(owner, displayName, embeddingModel)));
  }
  const store = stores.find(route.store, owner);
  const operation = verb ?? `${method.toLowerCase()}FileSearch`;
  if (store === undefined) return answered(operation, notFound);
  if (verb === "uploadToFileSearchStore" && route.uploads && method === "POST") {
    const body = read("UploadToFileSearchStoreRequest");
    if (!("raw" in body)) return { operation, problems: body };
    const target = uploadTarget(stores, store, body.value);
    return uploads.start({ origin: originOf(incoming), apiVersion, headers: incoming.headers, target });
  }
  if (verb === "importFile" && method === "POST") {
    const body = read("ImportFileRequest");
    if (!("raw" in body)) return { operation, problems: body };
    const fileName = String(body.value["fileName"]);
    const file = files.find(fileName, owner);
    if (file === undefined) return answered(operation, filePermissionProblem(fileName));
    const customMetadata = metadataIn(body.value);
    const found = documentProblem(stores, store, customMetadata, file.sizeBytes);
    if (found) return answered(operation, found);
    const { mimeType, sizeBytes } = file;
    // The emulator doesn't keep the bytes of files.
    const pages = [file.displayName ?? ""];
    const added = stores.add(store, { displayName: undefined, customMetadata, mimeType, sizeBytes, pages });
    return answered(operation, stores.operationJson(store, added, "import"));
  }
  if (verb !== undefined) return undefined;
  const force = query.get("force")?.toLowerCase() === "true";
  if (collection === undefined) {
    if (method === "GET") return answered("getFileSearchStore", stores.storeJson(store));
    if (method !== "DELETE") return undefined;
    if (store.documents.size > 0 && !force)
      return answered("deleteFileSearchStore", precondition("K-1", "Cannot delete non-empty FileSearchStore"));
    stores.delete(store);
    return answered("deleteFileSearchStore", {});
  }
  if (id === undefined) {
    if (method !== "GET" || collection !== "documents") return undefined;
    return answered(
      "listDocuments",
      page([...store.documents.values()], query, "documents", (one) => stores.documentJson(one)),
    );
  }
  const document = store.documents.get(`${store.name}/documents/${id}`);
  if (document === undefined) return answered(operation, notFound);
  if (collection !== "documents") {
    const made = collection === "operations" ? "import" : "upload";
    return method === "GET" ? answered("getOperation", stores.operationJson(store, document, made)) : undefined;
  }
  if (method === "GET") return answered("getDocument", stores.documentJson(document, "poll"));
  if (method !== "DELETE") return undefined;
  if (!force) return answered("deleteDocument", precondition("K-2", "Cannot delete non-empty Document"));
  store.documents.delete(document.name);
  return answered("deleteDocument", {});
}

function page<T>(all: readonly T[], query: URLSearchParams, field: string, show: (one: T) => object): object | Problem {
  const found = pageOf(all, query, { default: 10, max: 20 });
  if (found === undefined) return problem("K-6", "Request contains an invalid argument.");
  const { items, nextPageToken } = found;
  return {
    ...(items.length > 0 && { [field]: items.map(show) }),
    ...(nextPageToken !== undefined && { nextPageToken }),
  };
}

function documentProblem(
  stores: SearchStores,
  store: SearchStore,
  metadata: readonly Fields[],
  bytes: number,
): Problem | undefined {
  if (metadata.length > 20) return problem("K-5", "A document can have at most 20 custom metadata entries.");
  if (new Set(metadata.map(({ key }) => key)).size < metadata.length)
    return problem("K-7", "Request contains an invalid argument.");
  if (stores.hasRoom(store.owner, bytes)) return undefined;
  const message = `Corpus has reached the storage limit of ${stores.maxStorageBytes} bytes.`;
  return { rule: "K-3", message, status: "RESOURCE_EXHAUSTED" };
}

function uploadTarget(stores: SearchStores, store: SearchStore, value: Fields): UploadTarget {
  // The fields have been checked against the descriptor.
  const { displayName, mimeType } = value as { displayName?: string; mimeType?: string };
  const customMetadata = metadataIn(value);
  return {
    path: `${store.name}:uploadToFileSearchStore`,
    mimeType,
    maxBytes: 100 * 1024 * 1024,
    keepsBytes: true,
    problem: (bytes) => documentProblem(stores, store, customMetadata, bytes),
    finish: ({ mimeType: type, bytes }) => {
      const pages = readPages(bytes, type);
      const document = { displayName, customMetadata, mimeType: type, sizeBytes: bytes.length, pages };
      return stores.operationJson(store, stores.add(store, document), "upload");
    },
  };
}
