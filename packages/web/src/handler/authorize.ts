import type { GivenContext } from "@pollux/core";

/** Who asks, as the application has found out. */
export type Visitor<Context = unknown> = {
  /** Whose conversations these are: the id of a user. Conversations of others do not exist for them. */
  readonly owner: string;
  /** Metadata of conversations that the visitor begins; lists of the store filter by it. */
  readonly metadata?: { readonly [name: string]: string } | undefined;
} & (undefined extends GivenContext<Context>
  ? { readonly context?: undefined }
  : {
      /** What the agent's tools are given in runs that this request starts or resumes. */
      readonly context: Context;
    });

/**
 * Finds out who asks. Called before anything is read or stored; must not read the body.
 *
 * @returns A visitor; or a response, which is sent instead of anything else, such as a 401.
 */
export type Authorize<Context = unknown> = (
  request: Request,
) => Visitor<Context> | Response | Promise<Visitor<Context> | Response>;

/** Asks the application. @throws {TypeError} When its answer names nobody. */
export async function findVisitor<Context>(
  authorize: Authorize<Context>,
  request: Request,
): Promise<Visitor<Context> | Response> {
  const visitor = await authorize(request);
  if (visitor instanceof Response) return visitor;
  // Plain JavaScript may return anything.
  const owner: unknown = (visitor as Visitor<Context> | undefined)?.owner;
  if (typeof owner !== "string" || owner === "")
    throw new TypeError(
      "authorize() must return { owner } with a non-empty string, or a Response that refuses the request",
    );
  return visitor;
}
