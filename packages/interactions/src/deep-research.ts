import { defineJob, type JobContext, type JobOptions, type JobReport, readJobCallback, type Tool } from "@pollux/core";
import { ApiStatusError, JobReportError } from "@pollux/core/errors";
import { OutcomeUnknownError } from "./errors.ts";
import { InteractionsClient } from "./interactions-client.ts";
import { type InteractionResult, readResult } from "./read-result.ts";
import type { Interaction } from "./types/interaction.ts";
import type { AgentRequest } from "./types/request.ts";
import { isObject } from "./wire-events.ts";
import type { WebhookEvent } from "./webhooks/webhook-event.ts";

/** Options of a job that a research has, too. */
type JobOption = "needsApproval" | "approvedBy" | "unknownOutcome" | "timeoutMs" | "checkEveryMs" | "afterUntrusted";

/** Options of {@link deepResearch}. */
export interface DeepResearchOptions<Name extends string = string> extends Pick<
  JobOptions<{ readonly type: "object" }, undefined>,
  JobOption
> {
  /** @defaultValue a new one, with the key of the environment */
  readonly client?: InteractionsClient | undefined;
  /** The agent at Google. @defaultValue "deep-research-preview-04-2026" */
  readonly agent?: string | undefined;
  /** Name of the tool. @defaultValue "deep_research" */
  readonly name?: Name | undefined;
  /** When the model should use it. @defaultValue a text that says what deep research is, and how long it takes */
  readonly description?: string | undefined;
  /** Where Google reports the end: an `https` address whose handler calls {@link reportResearch}. @defaultValue none: Google is polled */
  readonly webhook?: string | URL | undefined;
  /**
   * The agent plans first, and a person is asked about each plan: the call's arguments are then a {@link ResearchPlan}. Approved unchanged, the
   * plan is researched; with `changes`, the agent makes another one. @defaultValue false
   */
  readonly collaborativePlanning?: boolean | undefined;
  /** Other fields of the request, such as `tools` or `agent_config`. @defaultValue thoughts are summarized, for the progress */
  readonly request?:
    | Partial<Pick<AgentRequest, "agent_config" | "tools" | "system_instruction" | "response_format" | "service_tier">>
    | undefined;
}

/** The arguments of a call whose plan a person is asked about. */
export interface ResearchPlan {
  readonly question: string;
  /** The plan as the agent wrote it. */
  readonly plan: string;
  /** What the person wants changed; empty when asked. */
  readonly changes: string;
  /** The interaction that has the plan. */
  readonly previous_interaction_id: string;
}

/** What a research found: the output of its call. */
export interface ResearchReport extends Pick<InteractionResult, "text" | "sources" | "citations"> {
  /** `readResult(await client.get(interactionId))` has the images and the search suggestions that the terms require you to show. */
  readonly interactionId: string;
}

/** The progress of a research, and of its call. */
export interface ResearchProgress {
  readonly status: string;
  /** How many steps it has made. Absent, as `thought`, while the service shows none. */
  readonly steps?: number | undefined;
  /** The last thought summary, its first 500 characters. */
  readonly thought?: string | undefined;
}

const MAX_THOUGHT = 500;
/** For how long the service may not know its newest interactions. */
const YOUNG_MS = 60_000;
/** Members of a webhook's user metadata: the callback, and whether it is for a plan. */
const CALLBACK = "pollux_callback";
const PLANS = "pollux_plans";
/** Prefix of a job's id if its interaction makes a plan. */
const PLAN = "plan:";
const ACCEPTED = "I approve this plan. Do the research.";
const DESCRIPTION =
  "Researches a question on the web and writes a report with sources. Takes 5 to 60 minutes and is expensive: " +
  "use it only for what needs many sources, and ask everything in one question.";
const INPUT = {
  type: "object",
  properties: {
    question: {
      type: "string",
      minLength: 1,
      description: "What to find out, with all that the researcher has to know.",
    },
  },
  required: ["question"],
};

/**
 * Makes a job of Google's deep research: the model asks, the run waits for the report without a process, and continues
 * with its text, sources and citations ({@link ResearchReport}). Needs a session. The report counts as untrusted,
 * because it comes from the web.
 *
 * A research is created once. If it is not known whether it was created, the run asks, as `unknownOutcome` says.
 *
 * With `collaborativePlanning`, each plan and the research itself are separate jobs, each started once. A plan is
 * approved like any call of the tool: by the person who chats, unless `approvedBy` names someone else.
 *
 * @throws {TypeError} For `collaborative_planning` in `request`.
 * @example
 * ```ts
 * const agent = new Agent({ model: "gemini-flash-latest", tools: [deepResearch()] });
 * ```
 */
export function deepResearch<const Name extends string = "deep_research">(
  options: DeepResearchOptions<Name> = {},
): Tool<unknown, unknown, unknown, Name, unknown, false> {
  const {
    client = new InteractionsClient(),
    agent = "deep-research-preview-04-2026",
    // Its default.
    name = "deep_research" as Name,
    description = DESCRIPTION,
    webhook,
    request,
    collaborativePlanning = false,
    ...settings
  } = options;
  if (request?.agent_config?.collaborative_planning !== undefined)
    throw new TypeError("deepResearch(): instead of collaborative_planning, set the option collaborativePlanning");
  return defineJob({
    ...(collaborativePlanning && { approvedBy: () => "user", editable: ["changes"] }),
    ...settings,
    name,
    description,
    input: INPUT,
    reads: "untrusted",
    reach: "lookup",
    exposeErrors: true,
    maxResultBytes: 1_048_576,
    // The client has its own limits, and a request that creates must not be given up sooner.
    requestTimeoutMs: Infinity,
    start: async (input, { callback, signal, before }) => {
      // By INPUT, and by the job of a plan, which asks about `changes`.
      const { question, changes = "" } = input as { readonly question: string; readonly changes?: unknown };
      const earlier = before?.args as ResearchPlan | undefined;
      const wish = typeof changes === "string" ? changes.trim() : JSON.stringify(changes);
      const plans = earlier === undefined ? collaborativePlanning : wish !== "";
      const { id } = await client.create(
        {
          ...request,
          agent,
          input: earlier === undefined ? question : plans ? wish : ACCEPTED,
          background: true,
          store: true,
          ...(earlier !== undefined && { previous_interaction_id: earlier.previous_interaction_id }),
          agent_config: {
            type: "deep-research",
            thinking_summaries: "auto",
            ...request?.agent_config,
            ...((plans || earlier !== undefined) && { collaborative_planning: plans }),
          },
          ...(webhook !== undefined && {
            webhook_config: {
              uris: [String(webhook)],
              user_metadata: { [CALLBACK]: callback, ...(plans && { [PLANS]: true }) },
            },
          }),
        },
        { signal },
      );
      if (!id) throw new OutcomeUnknownError("The research was created, and the service gave no id for it.");
      return plans ? `${PLAN}${id}` : id;
    },
    check: (jobId, context) => checkResearch(client, jobId, context),
    cancel: (jobId, { signal }) => client.cancel(idOf(jobId), { signal }),
  });
}

function idOf(jobId: string): string {
  return jobId.startsWith(PLAN) ? jobId.slice(PLAN.length) : jobId;
}

async function checkResearch(
  client: InteractionsClient,
  jobId: string,
  { signal, since }: Pick<JobContext, "signal" | "since">,
): Promise<JobReport<ResearchReport>> {
  const id = idOf(jobId);
  try {
    return describeResearch(id, await client.get(id, { signal }), id !== jobId);
  } catch (error) {
    // Any other failure may be temporary: the next check asks again.
    const isGone = error instanceof ApiStatusError && error.status === 404 && Date.now() - since > YOUNG_MS;
    if (!isGone) throw error;
    return { error: error.message };
  }
}

function describeResearch(id: string, found: Interaction, plans: boolean): JobReport<ResearchReport> {
  const { status, errors = [] } = found;
  const { text, sources, citations, thoughts } = readResult(found);
  // The API's documentation doesn't say which of these two statuses a plan has.
  if (plans && text !== "" && (status === "requires_action" || status === "completed"))
    return { ask: { plan: text, changes: "", previous_interaction_id: id } satisfies Omit<ResearchPlan, "question"> };
  switch (status) {
    case "completed":
      return text === "" ? { error: "The research ended without a report." } : ended();
    case "incomplete":
    case "budget_exceeded":
      return text === "" ? { error: `The research was cut off (${status}), and there is no report.` } : ended();
    case "failed": {
      const reasons = errors.flatMap(({ message, code }) => message ?? code ?? []).join("; ");
      return { error: `The research failed: ${reasons || "the service gave no reason"}` };
    }
    case "cancelled":
      return { error: "The research was cancelled." };
    case "requires_action":
    case "requires_continuation":
      return { error: `The research waits for something that a job can't give (${status}).` };
    default: {
      const steps = (found.steps ?? []).filter(({ type }) => type !== "user_input");
      const thought = thoughts.at(-1)?.slice(0, MAX_THOUGHT);
      return {
        progress: {
          status,
          ...(steps.length > 0 && { steps: steps.length }),
          ...(thought !== undefined && { thought }),
        } satisfies ResearchProgress,
      };
    }
  }

  function ended(): JobReport<ResearchReport> {
    return { output: { interactionId: id, text, sources, citations } };
  }
}

/** What {@link reportResearch} needs. */
export interface ReportResearchOptions<Session> {
  /** Asks for the report, which a webhook doesn't have. @defaultValue a new one, with the key of the environment */
  readonly client?: InteractionsClient | undefined;
  /** Opens the session with this id. */
  readonly session: (id: string | undefined) => Session | Promise<Session>;
}

/**
 * Reports the end of a research to the session that waits for it, from an event that `verifyWebhook()` has verified. A repeated delivery, and
 * one that nobody waits for any more, change nothing.
 *
 * @returns The session, to `continue()` it; undefined when the event is about something else, or nobody waits for it.
 * @throws What the client throws: answer with 503, and the service delivers it again.
 * @example
 * ```ts
 * async function handle(request: Request): Promise<void> {
 *   const { event } = await verifyWebhook(request, { keys: webhookKeys(), audience: "https://app.example/hook" });
 *   const session = await reportResearch(event, { session: (id) => agent.session({ id, store }) });
 *   await session?.continue();
 * }
 * ```
 */
export async function reportResearch<Session extends { reportJob(job: string, report: JobReport): Promise<void> }>(
  event: WebhookEvent,
  options: ReportResearchOptions<Session>,
): Promise<Session | undefined> {
  const { id } = event.data;
  if (!event.type.startsWith("interaction.") || !id) return undefined;
  const { client = new InteractionsClient() } = options;
  const found = await client.get(id);
  // The service's own answer first: with `trustBody`, the body of an event may be unproven.
  const metadata = [found["webhook_config"], event, event.data].map(metadataIn).find((one) => CALLBACK in one) ?? {};
  const callback = metadata[CALLBACK];
  const call = typeof callback === "string" ? readJobCallback(callback) : undefined;
  if (typeof callback !== "string" || call === undefined) return undefined;
  const session = await options.session(call.sessionId);
  try {
    await session.reportJob(callback, describeResearch(id, found, metadata[PLANS] === true));
    return session;
  } catch (error) {
    if (error instanceof JobReportError && error.reason !== "invalid-output") return undefined;
    throw error;
  }
}

function metadataIn(holder: unknown): { readonly [member: string]: unknown } {
  const metadata = isObject(holder) ? holder["user_metadata"] : undefined;
  return isObject(metadata) ? metadata : {};
}
