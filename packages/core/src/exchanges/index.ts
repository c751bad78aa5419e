// Entry "@pollux/core/exchanges": keeps what crossed the wire in a store. Names only.
export { exchangeEntry, type ForeignExchange, type KeptExchange } from "./entries.ts";
export { type ExchangeKeeper, keepExchanges, type KeepExchangesOptions } from "./keep-exchanges.ts";
export { KeptExchanges, readExchanges } from "./kept-exchanges.ts";
