import type { Problem } from "./validate/problem.ts";

/** What an endpoint beside the models' own says: JSON, or the rule that was broken. */
export type ResourceAnswer =
  | {
      readonly operation: string;
      /** JSON; undefined for an empty body. */
      readonly body: object | undefined;
      readonly headers?: Readonly<Record<string, string>> | undefined;
      readonly model?: string | undefined;
    }
  | {
      readonly operation: string;
      readonly problems: readonly [Problem, ...Problem[]];
      readonly headers?: Readonly<Record<string, string>> | undefined;
    };
