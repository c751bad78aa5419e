import { HttpError } from "@pollux/core/serving";
import { type Answers, listPendingCalls, type SessionSummary, UnexpectedAnswerError } from "@pollux/core";
import { type PendingQuestionView, readConversation } from "@pollux/core/conversation";
import { BadRequestError } from "../chat-protocol.ts";
import { isRecord } from "../json.ts";
import { type GivenAnswer, readAnswers } from "../read-answers.ts";
import { answersByToken, type TakenAnswer } from "./answers.ts";
import type { Visitor } from "./authorize.ts";
import { findSession, readLimit } from "./chats.ts";
import type { Drained, DrainOptions } from "./draining.ts";
import { checkEdge, Edge } from "./edge.ts";
import { noSuchChat, replyJson } from "./replies.ts";
import type { Platform, ServingOptions } from "./options.ts";
import { Serving } from "./serving.ts";
import { startRun } from "./start-run.ts";

/** Who answers for others, as the application has found out. */
export interface Operator {
  /** Recorded with each answer, such as the id of an employee. */
  readonly by: string;
  /**
   * Names in `approvedBy` of tools, whose calls this operator answers, in addition to calls of tools without a name.
   * @defaultValue all, what is left to the user included
   */
  readonly approvedBy?: readonly string[] | undefined;
}

/** Options of {@link operatorHandler}. */
export interface OperatorHandlerOptions<Context = unknown, Body = unknown> extends Omit<
  ServingOptions<Context, Body>,
  "spending"
> {
  /**
   * Finds out who asks. Called before anything is read or stored; must not read the body.
   *
   * @returns An operator; or a response, which is sent instead of anything else, such as a 401.
   */
  readonly authorize: (request: Request) => Operator | Response | Promise<Operator | Response>;
  /** The path that the handler is mounted at. @defaultValue "/api/operator" */
  readonly path?: string | undefined;
  /** The tools' context when the run of a session continues. Required when they need a context. */
  readonly context?: ((session: SessionSummary) => Context | Promise<Context>) | undefined;
}

/** Lets operators answer. */
export interface OperatorHandler {
  /** Answers every request below its path. Never rejects. */
  (request: Request, platform?: Platform): Promise<Response>;
  /**
   * Leaves the active runs to other processes, before this one ends; see {@link ChatHandler.drain}. Answers get 503
   * from then on.
   */
  readonly drain: (options?: DrainOptions) => Promise<Drained>;
}

/**
 * Lets operators answer the calls that wait, in all conversations of a store.
 *
 * | request         | does                                                                                                   |
 * | --------------- | ------------------------------------------------------------------------------------------------------ |
 * | `GET /`         | lists the calls that wait for the operator: `?owner=ann&limit=50&after=<next of the last page>` |
 * | `POST /answers` | answers calls of a session: `{ session, answers: [{ token, approved: true }] }`; its run continues here |
 *
 * @throws {TypeError} For an option that cannot work.
 */
export function operatorHandler<Context = unknown, Body = unknown>(
  options: OperatorHandlerOptions<Context, Body>,
): OperatorHandler {
  const { path = "/api/operator", authorize } = options;
  if (typeof authorize !== "function")
    throw new TypeError("authorize is required: a function that returns { by } for a request, or a Response");
  checkEdge({ ...options, path });
  const serving: OperatorServing<Context> = new Serving(options);
  const edge = new Edge(options, { base: path.replace(/\/$/, ""), routes: ROUTES, serving });
  const serve = async (request: Request, platform: Platform = {}): Promise<Response> =>
    await edge.serve(request, async ({ action }, query) => {
      const operator = checkOperator(await authorize(request));
      if (operator instanceof Response) return operator;
      if (action === "list") return replyJson(await listCalls(serving, operator, query));
      return replyJson(await answerCalls(serving, operator, platform, await edge.json(request)));
    });
  return Object.assign(serve, { drain: async (limits: DrainOptions = {}) => await serving.draining.drain(limits) });
}

type OperatorServing<Context> = Serving<Context, OperatorHandlerOptions<Context>>;

const ROUTES = { "": { GET: "list", HEAD: "list" }, "/answers": { POST: "answer" } } as const;

/** Plain JavaScript may return anything. */
function checkOperator(operator: unknown): Operator | Response {
  if (operator instanceof Response) return operator;
  const { by, approvedBy } = isRecord(operator) ? operator : {};
  const isList = Array.isArray(approvedBy) && approvedBy.every((name) => typeof name === "string");
  if (typeof by !== "string" || by === "" || !(approvedBy === undefined || isList))
    throw new TypeError(
      "authorize() must return { by, approvedBy? }, a non-empty string and a list of strings, or a Response that refuses the request",
    );
  return { by, ...(isList && { approvedBy }) };
}

/** One page: what waits in so many sessions. */
async function listCalls<Context>(
  { options: { store } }: OperatorServing<Context>,
  operator: Operator,
  query: URLSearchParams,
): Promise<object> {
  const { calls, next, damaged } = await listPendingCalls(store, {
    owner: query.get("owner") ?? undefined,
    limit: readLimit(query.get("limit")),
    after: query.get("after") ?? undefined,
  });
  return {
    calls: calls
      .filter(({ question, approvedBy }) => question !== "job" && isFor(operator, approvedBy))
      .map(({ sessionId, call: { name, args = {} }, turn: _, ...about }) => ({
        session: sessionId,
        tool: name,
        args,
        ...about,
      })),
    next,
    damaged,
  };
}

/** A call whose tool names nobody is for all operators. */
function isFor({ approvedBy: names }: Operator, approvedBy: string | undefined): boolean {
  return approvedBy === undefined || names === undefined || names.includes(approvedBy);
}

/** Stores answers, and continues the run, with or without a reader. */
async function answerCalls<Context>(
  serving: OperatorServing<Context>,
  operator: Operator,
  platform: Platform,
  body: unknown,
): Promise<object> {
  const { session: id, answers } = isRecord(body) ? body : {};
  const given = readAnswers(answers);
  if (typeof id !== "string" || given.length === 0)
    throw new BadRequestError(
      'send { session, answers }: the "session" of a call in the list, and at least one answer',
    );
  const { options } = serving;
  const found = await findSession(options.store, id);
  if (found === undefined) throw noSuchChat();
  const open = serving.sessions.take(id, { owner: found.owner });
  const { session, release } = open;
  try {
    serving.draining.check();
    // The application gives the context that its agent needs.
    const visitor = { owner: found.owner ?? "", context: await options.context?.(found) } as Visitor<Context>;
    const { pending } = await readConversation(session);
    await session.answer({ ...byToken(given, pending, operator), by: operator.by }).catch((error: unknown) => {
      if (!(error instanceof UnexpectedAnswerError)) throw error;
      throw new HttpError(409, "answered", `"${error.token}" ${error.reason}. Load the list again.`);
    });
    await startRun(serving, open, { visitor, platform }, {});
    return { answered: given.length };
  } finally {
    release();
  }
}

/** Answers as a session takes them. @throws {HttpError} For a question that somebody else answers. */
function byToken(
  given: readonly GivenAnswer[],
  pending: readonly PendingQuestionView[],
  operator: Operator,
): Omit<Answers, "by"> {
  const taken: TakenAnswer[] = [];
  for (const { token, approval, outcome } of given) {
    const question = pending.find((one) => one.token === token);
    // The session says why it doesn't wait. If it is asked by then, nobody has checked whose it is: "" is refused, so nothing is stored.
    if (question === undefined) return { approvals: { [token]: false }, outcomes: { "": { withdrawn: true } } };
    const { name, approvedBy } = question;
    if (question.question === "job")
      throw new HttpError(403, "not_yours", `${name}: only the job's service reports its outcome.`);
    if (!isFor(operator, approvedBy))
      throw new HttpError(403, "not_yours", `${name}: the tool's approvedBy says that "${approvedBy}" answers.`);
    const answer = question.question === "approval" ? approval : outcome;
    if (answer === undefined)
      throw new BadRequestError(`${name} waits for ${question.question === "approval" ? "an approval" : "an outcome"}`);
    taken.push({ question, answer });
  }
  return answersByToken(taken);
}
