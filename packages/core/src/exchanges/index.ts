// Entry "@pollux/core/exchanges": keeps what crossed the wire in a store. Names only.
export { type ExchangeKeeper, keepExchanges, type KeepExchangesOptions } from "./keep-exchanges.ts";
export {
  exchangeEntry,
  type ForeignExchange,
  type KeptExchange,
  KeptExchanges,
  readExchanges,
} from "./kept-exchanges.ts";
