import type { GenerateContentRequest } from "@pollux/core/wire";
import { checkCredentials } from "./auth.ts";
import { type ReadBody, readBody } from "./body.ts";
import { cachingProblem, withCachedPrompt } from "./caching.ts";
import { configFieldProblems, configProblem, modalityProblem } from "./config.ts";
import { contentFieldProblems, messageOf, withParts } from "./contents.ts";
import { declarationFieldProblems } from "./declarations.ts";
import { type Framing, notFoundPage, refuse } from "./error-body.ts";
import type { FieldScope } from "./fields.ts";
import { historyProblem, responsesMatch } from "./history.ts";
import { mediaProblem } from "./media.ts";
import type { Problem } from "./problem.ts";
import { parseRoute, resolveRoute, type Route } from "./route.ts";
import { signatureProblem } from "./signatures.ts";
import { bodySizeProblem, windowProblem } from "./size.ts";
import type { Subject } from "./subject.ts";
import { type ResolvedSwitches, resolveSwitches } from "./switches.ts";
import { toolProblem } from "./tools.ts";
import type { Accepted, Operation, Profile, Refusal, RequestInput, ValidateOptions } from "./types.ts";

export type { Accepted, Profile, Refusal, RequestInput, ValidateOptions } from "./types.ts";
export type { StrictSwitches } from "./switches.ts";

/** The result of {@link validateRequest}. */
export type Verdict = { ok: true; accepted: Accepted } | { ok: false; refusal: Refusal };

/**
 * Validates a request like the service: returns either everything that the responder needs, or the rejection to send.
 *
 * In the service's order: address, credentials, model, JSON and field names, individual fields (all problems in one message),
 * tools and the model's capabilities, history, signatures, size.
 */
export function validateRequest(input: RequestInput, options: ValidateOptions): Verdict {
  const { profile } = options;
  const switches = resolveSwitches(options.strict);
  const route = parseRoute(input.method.toUpperCase(), input.url, profile);
  if (!route) return { ok: false, refusal: notFoundPage(input.url.pathname) };
  const framing: Framing = { profile, stream: route.verb === "streamGenerateContent", sse: route.sse };
  const early = checkCredentials(input, profile, options.keys) ?? regionProblem(switches);
  if (early) return { ok: false, refusal: refuse([early], framing) };
  const target = resolveRoute(route, profile, switches);
  if ("rule" in target) return { ok: false, refusal: refuse([target], framing) };
  const accepted = { ...target, sse: route.sse, apiVersion: route.apiVersion };
  if (target.operation === "listModels" || target.operation === "getModel") {
    return { ok: true, accepted: { ...accepted, request: { contents: [] }, raw: undefined, mismatched: false } };
  }
  const surface = surfaceOf(profile, switches);
  const read = readRequest(input.body, target.operation, scopeOf(route, profile, surface, switches), switches);
  if (!("raw" in read)) return { ok: false, refusal: refuse(read, framing) };
  // The fields have been checked against the descriptor of this very message.
  const given = requestOf(read, target.operation) as unknown as GenerateContentRequest;
  const request = { ...given, contents: withParts(given.contents) };
  const cached = request.cachedContent
    ? options.cachedContent && (options.cachedContent(request.cachedContent) ?? "unknown")
    : undefined;
  const subject: Subject = { ...target, request, profile, surface, switches, signatures: options.signatures, cached };
  const problems = firstProblems(subject);
  if (problems) return { ok: false, refusal: refuse(problems, framing) };
  const whole = withCachedPrompt(subject);
  const mismatched = target.model.strictMatching && switches.responseMatching === "empty" && !responsesMatch(whole);
  return {
    ok: true,
    accepted: {
      ...accepted,
      request: withRoles(whole.request),
      raw: read.raw,
      mismatched,
      ...(cached !== undefined && cached !== "unknown" && { cached }),
    },
  };
}

function regionProblem({ regionSupported }: ResolvedSwitches): Problem | undefined {
  if (regionSupported) return undefined;
  return { rule: "A-6", message: "User location is not supported for the API use.", status: "FAILED_PRECONDITION" };
}

/** The surface whose messages and limits apply. */
export function surfaceOf(profile: Profile, switches: ResolvedSwitches): Subject["surface"] {
  if (profile === "comet") return switches.cometUpstream;
  return profile === "vertex" ? "vertex" : "developer";
}

/** The fields that the server knows. */
export function scopeOf(
  route: Pick<Route, "apiVersion">,
  profile: Profile,
  surface: Subject["surface"],
  switches: ResolvedSwitches,
): FieldScope {
  return {
    surface,
    old: profile === "old-proxy",
    oldV1: switches.oldV1 && route.apiVersion === "v1" && surface === "developer",
    toolFlag: !switches.guesses,
    apiVersion: surface === "vertex" && profile === "comet" ? "v1beta1" : route.apiVersion,
  };
}

function readRequest(
  body: string,
  operation: Operation,
  scope: FieldScope,
  switches: ResolvedSwitches,
): ReadBody | readonly [Problem, ...Problem[]] {
  const oversized = bodySizeProblem(body, switches.maxBodyBytes, scope.surface);
  if (oversized) return [oversized];
  return readBody(body, messageOf(operation), scope);
}

/** Counting tokens accepts either contents or a whole request. */
function requestOf({ value }: ReadBody, operation: Operation): Readonly<Record<string, unknown>> {
  const inner = operation === "countTokens" ? value["generateContentRequest"] : undefined;
  return inner === undefined ? { contents: [], ...value } : { contents: [], ...(inner as object) };
}

function firstProblems(subject: Subject): readonly [Problem, ...Problem[]] | undefined {
  if (subject.operation === "countTokens" || subject.operation === "computeTokens") {
    const found = contentFieldProblems(subject);
    const single = found.length > 0 ? undefined : (cachingProblem(subject) ?? mediaProblem(subject));
    return single ? [single] : nonEmpty(found);
  }
  const fields = [
    ...contentFieldProblems(subject),
    ...declarationFieldProblems(subject),
    ...configFieldProblems(subject),
  ];
  if (fields.length > 0) return nonEmpty(fields);
  const whole = withCachedPrompt(subject);
  const first =
    cachingProblem(subject) ??
    toolProblem(whole) ??
    configProblem(whole) ??
    historyProblem(whole) ??
    mediaProblem(subject) ??
    signatureProblem(whole) ??
    windowProblem(whole) ??
    modalityProblem(subject);
  return first && [first];
}

function nonEmpty(problems: readonly Problem[]): readonly [Problem, ...Problem[]] | undefined {
  const [first, ...rest] = problems;
  return first && [first, ...rest];
}

function withRoles(request: GenerateContentRequest): GenerateContentRequest {
  const contents = request.contents.map((content) =>
    content.role === "model" ? content : { ...content, role: "user" as const },
  );
  return { ...request, contents };
}
