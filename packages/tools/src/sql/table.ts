/** A value for a placeholder. */
export type SqlParameter = string | number | boolean | null;

/** A column, as the schema tool returns it. */
export interface SqlColumn {
  readonly name: string;
  /** Type, as the database reports it. */
  readonly type: string;
  /** Present and true if the column is never null. */
  readonly not_null?: true | undefined;
  readonly default?: string | undefined;
}

/** A foreign key. */
export interface SqlForeignKey {
  readonly columns: readonly string[];
  /** Such as `customer(id)`. */
  readonly references: string;
}

/** A table or a view, as the schema tool returns it. */
export interface SqlTable {
  readonly table: string;
  readonly kind: "table" | "view";
  readonly columns: readonly SqlColumn[];
  readonly primary_key?: readonly string[] | undefined;
  readonly foreign_keys?: readonly SqlForeignKey[] | undefined;
  /** Row count, or `more than 10000`. */
  readonly rows?: number | string | undefined;
}

/** A query for a database. */
export interface SqlQuestion {
  readonly sql: string;
  readonly parameters: readonly SqlParameter[];
  /** One more row is fetched, to know whether there are more. */
  readonly limit: number;
  readonly offset: number;
}

/** Rows from a database, with values already converted to JSON. */
export interface SqlRows {
  readonly columns: readonly string[];
  /** Values by column, in order. */
  readonly rows: readonly (readonly unknown[])[];
}

/** An error about a statement that the database rejects. */
export interface SqlProblem {
  /** The database's error message. */
  readonly message: string;
  /** What to do. */
  readonly advice: string;
}
