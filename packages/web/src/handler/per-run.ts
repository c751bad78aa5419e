import type { RunOptions } from "@pollux/core";
import { BadRequestError } from "../chat-protocol.ts";
import type { DataPart } from "../data-part.ts";
import { isRecord, type JsonRecord } from "../json.ts";
import type { Visitor } from "./authorize.ts";

/** What a run does differently from others, by what its page has sent along. */
export interface PerRun<Context = unknown, Body = unknown> {
  /** A zod schema or another Standard Schema. @see https://standardschema.dev */
  readonly body: BodySchema<Body>;
  /**
   * Called before a run begins or continues. A run that continues without a new body, such as one whose process has
   * died, has its original body, or else `{}`.
   */
  options(run: RunRequest<Context, Body>): RunSettings<Context> | Promise<RunSettings<Context>>;
}

/** Checks a body: what it refuses is answered with 400. */
export interface BodySchema<Body = unknown> {
  readonly "~standard": {
    readonly validate: (value: unknown) => BodyResult<Body> | Promise<BodyResult<Body>>;
  };
}

type BodyResult<Body> =
  | { readonly value: Body; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] };

/** A run that begins or continues. */
export interface RunRequest<Context = unknown, Body = unknown> {
  /** What the page has sent along: the `body` of `sendMessage()` in the AI SDK, `forwardedProps` in AG-UI. */
  readonly body: Body;
  readonly visitor: Visitor<Context>;
  /** Sends a part to the page during the run. For hooks, by way of the context; tools can report one as progress. Never rejects. */
  readonly send: (part: DataPart) => Promise<void>;
}

/** Options of one run; `context` takes the place of the visitor's. */
export type RunSettings<Context = unknown> = Omit<
  RunOptions<undefined, Context>,
  "context" | "signal" | "runId" | "output" | "parent" | "steps"
> & { readonly context?: Context | undefined };

/** @throws {TypeError} */
export function checkPerRun<Context>({ body, options }: Partial<PerRun<Context>> = {}): void {
  const isWhole = body?.["~standard"] !== undefined && typeof options === "function";
  if (isWhole || (body === undefined && options === undefined)) return;
  throw new TypeError("perRun needs a body, a zod schema or another Standard Schema, and options, a function");
}

/**
 * The options of a run, and the part of its body that is kept for continuing: the members that the schema knows.
 *
 * @throws {BadRequestError} For a body that the schema refuses.
 */
export async function settingsOf<Context>(
  perRun: PerRun<Context> | undefined,
  run: RunRequest<Context, JsonRecord>,
): Promise<{ readonly settings: RunSettings<Context>; readonly body?: JsonRecord | undefined }> {
  if (perRun === undefined) return { settings: {} };
  const result = await perRun.body["~standard"].validate(run.body);
  if (result.issues === undefined) {
    const { value } = result;
    const known = Object.entries(run.body).filter(([name]) => isRecord(value) && Object.hasOwn(value, name));
    const settings = await perRun.options({ ...run, body: value });
    return { settings, ...(known.length > 0 && { body: Object.fromEntries(known) }) };
  }
  const [{ message, path = [] } = { message: "not valid" }] = result.issues;
  const names = path
    .map((key) => (typeof key === "object" && key !== null && "key" in key ? key.key : key))
    .map(String);
  throw new BadRequestError(`The body of the request: ${[...names.slice(0, 8), message].join(": ").slice(0, 500)}`);
}
