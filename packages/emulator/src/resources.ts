import { answerCaches, cacheOwner, parseCacheRoute } from "./caches/answer-caches.ts";
import { CacheStore } from "./caches/cache-store.ts";
import { answerDecisions, parseDecisionRoute } from "./decisions/answer-decisions.ts";
import { answerEmbeddings, parseEmbeddingRoute } from "./embeddings/answer-embeddings.ts";
import type { EmulatorOptions } from "./emulator-options.ts";
import { answerFileSearch, parseFileSearchRoute } from "./file-search/answer-file-search.ts";
import { type Retrieve, searchStores } from "./file-search/retrieve.ts";
import { SearchStores } from "./file-search/search-stores.ts";
import { answerFiles, parseFileRoute } from "./files/answer-files.ts";
import type { UploadedFile } from "./files/file-options.ts";
import { fileNameOf, FileStore } from "./files/file-store.ts";
import { Uploads } from "./files/uploads.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import type { ResourceAnswer } from "./resource-answer.ts";
import { checkCredentials, callerOf } from "./validate/auth.ts";
import { type FileState, resolveSwitches } from "./validate/switches.ts";
import type { Profile, SignatureBook, ValidateOptions } from "./validate/types.ts";

/** The endpoints other than the models' own, and their state. */
export interface Resources {
  /** Answers a request to one of these endpoints; undefined for any other. */
  answer(incoming: IncomingRequest, signatures: SignatureBook): ResourceAnswer | undefined;
  /** Options for validating a request, with access to the caller's files and cached contents. */
  validateOptions(incoming: IncomingRequest, signatures: SignatureBook): ValidateOptions;
  /** Looks up the caller's files by their URI. */
  fileOf(incoming: IncomingRequest): (fileUri: string) => UploadedFile | undefined;
  /** Searches the caller's file search stores that a request names. */
  retrieve(incoming: IncomingRequest): Retrieve;
}

/** Only the Developer API has files; Vertex also has cached contents. Gateways document neither. */
const WITH_FILES: ReadonlySet<Profile> = new Set<Profile>(["developer", "developer-v1"]);
const WITH_CACHES: ReadonlySet<Profile> = new Set<Profile>(["developer", "developer-v1", "vertex"]);

/** Creates the endpoints of one emulator, with their own state. */
export function createResources(options: EmulatorOptions, profile: Profile, seed: string): Resources {
  const { keys, strict } = options;
  const now = options.now ?? (() => new Date());
  const files = new FileStore(options.files ?? {}, now, seed);
  const uploads = new Uploads(options.files ?? {}, seed);
  const stores = new SearchStores(options.fileSearch ?? {}, now, seed);
  const caches = new CacheStore(now, seed);
  const switches = resolveSwitches(strict);

  const resources: Resources = {
    answer(incoming, signatures) {
      const method = incoming.method.toUpperCase();
      const fileRoute = WITH_FILES.has(profile) ? parseFileRoute(method, incoming.url) : undefined;
      const cacheRoute = WITH_CACHES.has(profile) ? parseCacheRoute(method, incoming.url, profile) : undefined;
      const embeddingRoute = parseEmbeddingRoute(method, incoming.url, profile);
      const version = WITH_FILES.has(profile) ? parseDecisionRoute(method, incoming.url, switches) : undefined;
      const decisions = version === undefined ? undefined : ({ kind: "decisions", version } as const);
      const searchRoute = WITH_FILES.has(profile) ? parseFileSearchRoute(method, incoming.url) : undefined;
      const route = fileRoute ?? searchRoute ?? cacheRoute ?? embeddingRoute ?? decisions;
      if (route === undefined) return undefined;
      // An upload's URL is secret, so it needs no key.
      const refused = route.kind === "upload" ? undefined : checkCredentials(incoming, profile, keys);
      if (refused) return { operation: route.kind, problems: [refused] };
      if (fileRoute) return answerFiles(fileRoute, incoming, files, uploads);
      if (searchRoute) return answerFileSearch(searchRoute, incoming, { stores, files, uploads });
      const fileOf = resources.fileOf(incoming);
      if (decisions) return answerDecisions(decisions.version, incoming, options.decisions ?? {}, switches, fileOf);
      if (embeddingRoute) return answerEmbeddings(embeddingRoute, incoming, { profile, strict, fileOf });
      const validate = resources.validateOptions(incoming, signatures);
      return (
        cacheRoute &&
        answerCaches(cacheRoute, incoming, { caches, options: options.caches ?? {}, validate, now, fileOf })
      );
    },

    validateOptions(incoming, signatures) {
      const owner = callerOf(incoming);
      const stateOf = (uri: string): FileState => {
        const name = fileNameOf(uri);
        if (name === undefined) return "active";
        const file = files.find(name, owner);
        if (file === undefined) return "forbidden";
        return files.progress(file) === "ACTIVE" ? "active" : "processing";
      };
      return {
        profile,
        keys,
        strict: WITH_FILES.has(profile) ? { ...strict, fileState: strict?.fileState ?? stateOf } : strict,
        signatures,
        ...(WITH_CACHES.has(profile) && {
          cachedContent: (name: string) => caches.find(name, cacheOwner(incoming, profile)),
        }),
      };
    },

    retrieve(incoming) {
      const owner = callerOf(incoming);
      return (request, question) => searchStores(request, question, (name) => stores.find(name, owner));
    },

    fileOf(incoming) {
      const owner = callerOf(incoming);
      return (uri) => {
        const name = fileNameOf(uri);
        return name === undefined ? undefined : files.find(name, owner);
      };
    },
  };
  return resources;
}
