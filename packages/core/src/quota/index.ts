// Entry "@pollux/core/quota": limits that all processes of an application share. Names only.
export { Quota, type QuotaOptions, type QuotaState } from "./quota.ts";
export { findFull, MemoryQuotaStore, type QuotaCounter, type QuotaStore } from "./quota-store.ts";
