// Entry "@pollux/core/exchanges": keeps HTTP exchanges in a store. Names only.
export { type CauseError, type KeepCausesOptions, type KeptCause, readCauses } from "./keep-causes.ts";
export { type ExchangeKeeper, keepExchanges, type KeepExchangesOptions } from "./keep-exchanges.ts";
export {
  exchangeEntry,
  type ForeignExchange,
  type KeptExchange,
  KeptExchanges,
  readExchanges,
} from "./kept-exchanges.ts";
