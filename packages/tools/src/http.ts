export type { HttpOptions, LookupAddress, LookupFunction } from "./http/http-options.ts";
export {
  httpRequest,
  type HttpRequestInput,
  type HttpRequestOptions,
  type HttpRequestResult,
} from "./http/http-request.ts";
export {
  type FetchedPage,
  type PageLink,
  webFetch,
  type WebFetchInput,
  type WebFetchOptions,
} from "./http/web-fetch.ts";
