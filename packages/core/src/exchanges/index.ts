// Entry "@pollux/core/exchanges": keeps what crossed the wire in a store. Names only.
export { exchangeEntry, type ForeignExchange } from "./exchange-entry.ts";
export { type ExchangeKeeper, keepExchanges, type KeepExchangesOptions } from "./keep-exchanges.ts";
export { type KeptExchange, KeptExchanges, readExchanges } from "./kept-exchanges.ts";
