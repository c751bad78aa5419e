// Entry "@pollux/core/quota": what all processes of an application may use together. Names only.
export { Quota, type QuotaOptions, type QuotaState } from "./quota.ts";
export { findFull, MemoryQuotaStore, type QuotaCounter, type QuotaStore } from "./quota-store.ts";
