/** A value that the model gives for a placeholder. */
export type SqlParameter = string | number | boolean | null;

/** A column as the schema tool shows it. */
export interface SqlColumn {
  readonly name: string;
  /** As the database writes it. */
  readonly type: string;
  /** Present and true for a column that is never null. */
  readonly not_null?: true | undefined;
  readonly default?: string | undefined;
}

/** A key that leads to another table. */
export interface SqlForeignKey {
  readonly columns: readonly string[];
  /** Such as `customer(id)`. */
  readonly references: string;
}

/** A table or a view as the schema tool shows it. */
export interface SqlTable {
  readonly table: string;
  readonly kind: "table" | "view";
  readonly columns: readonly SqlColumn[];
  readonly primary_key?: readonly string[] | undefined;
  readonly foreign_keys?: readonly SqlForeignKey[] | undefined;
  /** How many, or `more than 10000`. */
  readonly rows?: number | string | undefined;
}

/** What the query tool asks a database for. */
export interface SqlQuestion {
  readonly sql: string;
  readonly parameters: readonly SqlParameter[];
  /** One more than this is fetched, to know whether there are more. */
  readonly limit: number;
  readonly offset: number;
}

/** Rows as a database gave them, cells already in JSON. */
export interface SqlRows {
  readonly columns: readonly string[];
  /** Values by column, in order. */
  readonly rows: readonly (readonly unknown[])[];
}

/** A statement that the database does not carry out, with what would help. */
export interface SqlProblem {
  /** The database's own words. */
  readonly message: string;
  /** What to do. */
  readonly advice: string;
}
