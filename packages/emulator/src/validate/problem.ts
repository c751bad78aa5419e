/** Status words of errors, and the code for each. */
export type StatusWord =
  | "INVALID_ARGUMENT"
  | "FAILED_PRECONDITION"
  | "UNAUTHENTICATED"
  | "PERMISSION_DENIED"
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "RESOURCE_EXHAUSTED"
  | "UNAVAILABLE";

/** A rule that a request violates. */
export interface Problem {
  readonly rule: string;
  readonly message: string;
  /** Path for `BadRequest.fieldViolations`; absent at the top level and for problems that are not about a field. */
  readonly field?: string | undefined;
  /** @defaultValue `"INVALID_ARGUMENT"` */
  readonly status?: StatusWord | undefined;
  /** HTTP status, if the status word doesn't determine it. */
  readonly code?: number | undefined;
  /** The error's `details`, in Google's format. */
  readonly details?: readonly Readonly<Record<string, unknown>>[] | undefined;
  /** `code` and `type` of the error on the gateway profile, if known. */
  readonly gateway?: { readonly code: string; readonly type: string } | undefined;
}

/** A problem with just a message. */
export function problem(rule: string, message: string): Problem {
  return { rule, message };
}
