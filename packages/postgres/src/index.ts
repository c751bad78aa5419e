export { PostgresQuotaStore, type PostgresQuotaStoreOptions } from "./postgres-quota-store.ts";
export { PostgresStore, type PostgresStoreOptions } from "./postgres-store.ts";
export type { ConnectionOptions, PostgresClient, PostgresPool, QueryRows } from "./pool.ts";
