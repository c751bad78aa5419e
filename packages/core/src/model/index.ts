// Entry "@pollux/core/model": for programs that implement a model or read its responses. Names only.
export { inferCapabilities, type ModelCapabilities } from "../wire/known-models.ts";
export { type HistoryOrigin, prepareHistory, type PrepareHistoryOptions } from "./history/import-history.ts";
export {
  type Model,
  type ModelNotice,
  type ModelRequest,
  type ModelResponse,
  type RespondOptions,
  type TokenCount,
} from "./model.ts";
export { type BodyReading, readResponseBody } from "./response/fold.ts";
export { COPIED_SETTINGS } from "./settings.ts";
export { addUsage, findPrices, NO_USAGE } from "./usage.ts";
export { type ExchangeChunk, type ExchangeTap, type HttpExchange } from "../wire/http/exchange-tap.ts";
