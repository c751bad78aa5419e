import type { Problem } from "./validate/problem.ts";

/** The answer of an endpoint other than the models' own: JSON, or the violated rule. */
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
      /** The error has a word as its code, as errors of the Interactions API do. Default: false. */
      readonly wordCodes?: boolean | undefined;
      readonly headers?: Readonly<Record<string, string>> | undefined;
    };
