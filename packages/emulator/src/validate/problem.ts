/** Status words of refusals, and the code each goes with. */
export type StatusWord =
  | "INVALID_ARGUMENT"
  | "FAILED_PRECONDITION"
  | "UNAUTHENTICATED"
  | "PERMISSION_DENIED"
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "UNAVAILABLE";

/** One rule that a request breaks. */
export interface Problem {
  readonly rule: string;
  readonly message: string;
  /** Path for `BadRequest.fieldViolations`; absent at the top level and for problems that are not about a field. */
  readonly field?: string | undefined;
  /** @defaultValue `"INVALID_ARGUMENT"` */
  readonly status?: StatusWord | undefined;
  /** HTTP status where the word does not decide it. */
  readonly code?: number | undefined;
  /** The error's `details`, in Google's format. */
  readonly details?: readonly Readonly<Record<string, unknown>>[] | undefined;
  /** `code` and `type` of the error on the gateway profile, where they are known. */
  readonly gateway?: { readonly code: string; readonly type: string } | undefined;
}

/** A problem without more to say than its text. */
export function problem(rule: string, message: string): Problem {
  return { rule, message };
}
