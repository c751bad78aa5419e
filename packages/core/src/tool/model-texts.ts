/*
 * Every sentence of this package that a model reads, except those of lower layers and the notes made from a schema's keywords. The
 * table in `test/texts/model-texts.md` shows all of them as they are sent; a test fails when the two differ.
 */

/** Appended to the answer of a call that may have taken effect: without it, a model calls again. */
export const OUTCOME_UNKNOWN = "it is unknown whether this call took effect; check before repeating it";

/** A call cut off by the end of its run. */
export const CANCELLED = "cancelled: the run ended before this call finished";

/** A call that a person cancelled while its run continued. */
export const CANCELLED_BY_USER = "cancelled: the user cancelled this call before it finished";

/** A call with side effects that was running when its process ended. */
export const INTERRUPTED: string = `interrupted: the process ended before this call finished; ${OUTCOME_UNKNOWN}`;

/** A call whose answer never arrived, in a conversation that continues without it. */
export const UNANSWERED = "not run: the answer this call was waiting for never arrived";

/** A call in an answer that hit the token limit: its arguments may be cut off too. */
export const TRUNCATED =
  "not run: your response was cut off by the output token limit; repeat the call in a shorter response";

/** A call beyond the run's limit on calls. */
export const callLimitReached = (limit: number): string =>
  `not run: this run has reached its limit on function calls (${limit})`;

/** A call of a tool with too many invalid calls. */
export const toolDisabled = (tool: string, badCalls: number): string =>
  `not run: ${tool} is disabled for this run after ${badCalls} invalid calls; continue without it`;

/** A call that a person or a policy denied. */
export const callDenied = (reason: string): string => `not run: the user denied this call${because(reason)}`;

/** An outside call after content that anybody may have written. */
export const deniedAsUntrusted = (sources: readonly string[]): string =>
  `not run: not allowed after content that anybody may have written (${sources.join("; ")})`;

/** A call whose request was taken back before it was answered. */
export const callWithdrawn = {
  approval: (reason: string): string => `not run: the user withdrew this request${because(reason)}`,
  outcome: (reason: string): string => `the user withdrew this request before a result arrived${because(reason)}`,
  "unknown-outcome": (reason: string): string => `the user withdrew this request${because(reason)}; ${OUTCOME_UNKNOWN}`,
  job: (reason: string): string => `the request was withdrawn before the job ended${because(reason)}`,
};

function because(reason: string): string {
  return reason === "" ? "" : `: ${reason}`;
}

/** Follows the result of a call whose arguments a person changed when approving it: the model only knows its own. */
export function argumentsEdited(tool: string, callId: string | undefined, args: string): string {
  const which = callId === undefined ? "" : ` (call ${callId})`;
  return `[edited] the user changed the arguments of ${tool}${which} before approving it; the result above is for: ${args}`;
}

/** A question about a call that expired. */
export const answerTimedOut = {
  approval: (timeoutMs?: number): string => `not run: this call was not approved ${inTime(timeoutMs)}`,
  outcome: (timeoutMs?: number): string => `no result arrived ${inTime(timeoutMs)}; ${OUTCOME_UNKNOWN}`,
  "unknown-outcome": (timeoutMs?: number): string =>
    `the outcome was not confirmed ${inTime(timeoutMs)}; ${OUTCOME_UNKNOWN}`,
  job: (timeoutMs?: number): string =>
    `the job did not finish ${timeoutMs === undefined ? "in time" : `within ${inWords(timeoutMs)}`}; it may still be running`,
};

/** The tool, which has the time, may no longer exist. */
function inTime(timeoutMs: number | undefined): string {
  return timeoutMs === undefined ? "in time" : `within ${timeoutMs} ms`;
}

function inWords(ms: number): string {
  const [unit, inMs] = UNITS.find(([, one]) => ms % one === 0) ?? ["ms", 1];
  const count = ms / inMs;
  return `${count} ${unit}${count === 1 || unit === "ms" ? "" : "s"}`;
}

const UNITS = [
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
] as const;

/** A call whose job nobody waits for, in a conversation that continues without it. */
export const JOB_LEFT = "the job was started, and the conversation went on without its result; it may still be running";

/** A call that starts a job, in a run that cannot wait for it. */
export const jobNeedsSession = (tool: string): string => `${tool} starts a job, and nothing here can wait for it`;

/** An external call that ended without a result and without a reason. */
export const NO_RESULT = "no result arrived";

/** A call whose tool has no code in this process. */
export const notRunHere = (tool: string): string => `${tool} is a client-side tool and cannot be run here`;

/** A call that took too long. */
export const timedOut = (tool: string, timeoutMs: number): string => `${tool} timed out after ${timeoutMs} ms`;

/** A call whose tool threw an error that was not meant for the model. */
export const toolThrew = (tool: string): string => `${tool} failed with an internal error`;

/** A call whose tool failed for a reason that the model may know. */
export const toolFailed = (tool: string, message: string): string => `${tool} failed: ${message}`;

/** A call whose result cannot be sent: the tool has run, and would return the same again. */
export const unreadable = (tool: string): string => `${tool} ran, but its result cannot be read: do not call it again`;

/** A call that failed each time its tool was tried: without the number, a model tries again. */
export const triedTimes = (message: string, attempts: number): string => `${message} (tried ${attempts} times)`;

/** Replaces an empty error message. */
export const NO_MESSAGE = "no error message";

/** A call of a tool that does not exist: the most similar name, if any, and at most 20 names. */
export function unknownTool(name: string, nearest: string | undefined, names: readonly string[]): string {
  const hint = nearest === undefined ? "" : ` Did you mean "${nearest}"?`;
  const more = names.length > 20 ? ` and ${names.length - 20} more` : "";
  const listed = names.length === 0 ? "No tools are available." : `Available: ${names.slice(0, 20).join(", ")}${more}.`;
  return `there is no tool named "${name.slice(0, 100)}".${hint} ${listed}`;
}

/** Arguments that the schema rejects, with its messages. */
export const invalidArguments = (problems: string): string => `invalid arguments: ${problems}`;

/** A call that needs approval, whose arguments only a hook made valid. */
export const WAS_INVALID =
  "not run: its arguments were invalid, so nobody was asked about it; call it again with valid ones";

/** Arguments that are not an object. */
export const ARGUMENTS_NOT_OBJECT = "expected an object";

/** A missing argument, or a missing member of an answer. */
export const ARGUMENT_MISSING = "required but missing";

/** A value that does not match a JSON Schema, when nothing more precise is known. */
export const MISMATCH = "does not match the schema";

/** A value whose check against a JSON Schema would take too long. */
export const TOO_MUCH_TO_CHECK = "too large or too deep to be checked against the schema: make it smaller";

/** Explains one finding of the JSON Schema validator: the wrong members below its place, and why. @param message - The validator's own. */
export function describeMismatch(
  keyword: string,
  params: object,
  message: string,
): readonly (readonly [member: readonly string[], problem: string])[] {
  // All of these are lists; that of `enum` may contain anything.
  const { requiredProperties, unevaluatedProperties, allowedValues } = params as Record<string, readonly string[]>;
  switch (keyword) {
    case "required":
      return (requiredProperties ?? []).map((name) => [[name], ARGUMENT_MISSING] as const);
    case "unevaluatedProperties":
      return (unevaluatedProperties ?? []).map((name) => [[name], "not allowed"] as const);
    case "additionalProperties":
      // Each of these properties has its own finding.
      return [];
    case "boolean":
      return [[[], "not allowed"]];
    case "enum":
      return [[[], `must be one of ${JSON.stringify(allowedValues).slice(1, 200).replace(/]$/, "")}`]];
    case "anyOf":
      return [[[], "fits none of the alternatives"]];
    default:
      return [[[], message]];
  }
}

/** Follows the kept part of a result above the tool's limit. */
export const textCut = (kept: number, whole: number): string =>
  `[truncated: these are the first ${kept} of ${whole} characters]`;

/** The same for a result that is not text. */
export const jsonCut = (kept: number, whole: string): string =>
  `[truncated: these are the first ${kept} of ${whole} characters of JSON]`;

/** Precedes an image or a file that the model only accepts outside the function response. */
export const mediaHeading = (index: number, tool: string, callId: string | undefined): string =>
  `[media ${index}] from the result of ${tool}${callId === undefined ? "" : ` (call ${callId})`}:`;

/** Replaces media in a result that do not fit into the conversation. */
export const mediaLeftOut = (mimeType: string, bytes: number, room: number): string =>
  `[left out: ${mimeType} of ${bytes} bytes in base64; there is room for ${Math.max(0, Math.floor(room))} here]`;

/** Sent after an unusable answer. */
export const nudges = {
  empty: "Your last response was empty. Please answer or call a function.",
  malformedCall:
    "Your last function call could not be parsed. Make it again with valid JSON arguments, and shorten them if they were long.",
  undeclaredCall: (names: readonly string[]): string =>
    `You called a function that does not exist. ${names.length > 0 ? `Available: ${names.join(", ")}.` : "Answer without calling functions."}`,
  invalidOutput: (problem: string | undefined): string =>
    `Your response does not match the schema: ${problem}. Answer again with only the corrected JSON.`,
};

/** Asks for the answer in the run's schema, if the schema could not be sent with the tools. */
export const OUTPUT_REQUEST =
  "Convert your last answer to JSON that matches the given schema. Use only information from the conversation above, and leave out what it does not contain.";

/** Asks for a summary of what no longer fits the model's context window. */
export const SUMMARY_REQUEST: string =
  "Summarize the conversation above for your own use; the summary will replace these messages. Keep every fact, name, number, " +
  "identifier, decision, tool result, and user request that may still matter, and everything that is still open. " +
  "Write plain text, without a preamble.";

/** Precedes that summary in later requests. */
export const SUMMARY_HEADING = "Summary of the earlier conversation, which it replaces:";

/** An agent's task, in the declaration of the tool that runs it. */
export const AGENT_TASK = "What to do, including everything needed to do it: the agent sees nothing else.";

/** A call of an agent without a task. */
export const TASK_MISSING = "task must be a non-empty string";

/** The description of a handoff whose author gives none. */
export const handoffDescription = (agent: string): string =>
  `Hands the conversation over to ${agent}, who answers the user from here on.`;

/** The answer to a handoff: the agent that took over reads it. */
export const handedOver = (agent: string): string => `${agent} has taken over the conversation`;

/** A second handoff in one response. */
export const ONE_HANDOFF = "not run: a response can hand the conversation over only once, and another call did";

/** An agent that was not run because the calling run has used up a limit. */
export const nothingLeft = (agent: string, limit: string): string =>
  `${agent} was not run: this run has used up its ${limit}`;

/** An agent's run without an answer: how it ended, and its last text. */
export function agentEnded(agent: string, stopReason: string, limit: string | undefined, text: string): string {
  const why = limit === undefined ? "" : ` (${limit})`;
  const lastText = text === "" ? "" : `; its last text: ${text.slice(0, 2_000)}`;
  return `${agent} ended with "${stopReason}"${why}${lastText}`;
}

/** An agent's run on an engine without a report. */
export const agentFailures = {
  cancelled: "its run was cancelled",
  notAnAgent: "it was not answered by an agent",
  noResult: "its report contains no result",
  noReport: "it returned no report",
};

/** A function that replaces a built-in tool of the service. */
export interface DelegateTexts {
  /** The name that the model calls. */
  readonly name: string;
  readonly description: string;
  /** Descriptions of its parameters, by name. */
  readonly fields: { readonly [name: string]: string };
}

/** Built-in tools as functions, for models that cannot take both kinds in one request. */
export const delegates: {
  readonly [Name in "googleSearch" | "googleMaps" | "urlContext" | "codeExecution" | "fileSearch"]: DelegateTexts;
} = {
  googleSearch: {
    name: "google_search",
    description: "Searches the web with Google and answers a question from the results, citing sources.",
    fields: { query: "What to find out, as a complete question" },
  },
  googleMaps: {
    name: "google_maps",
    description: "Looks up places in Google Maps and answers a question from the results, citing sources.",
    fields: { query: "What to find out about places, as a complete question that names the area" },
  },
  urlContext: {
    name: "url_context",
    description: "Reads web pages and answers a question about them.",
    fields: { question: "What to find out from the pages", urls: "Full URLs of the pages, at most 20" },
  },
  codeExecution: {
    name: "code_execution",
    description: "Writes and runs Python code in a sandbox without network access, and returns the findings.",
    fields: { task: "What to compute, with all the numbers it needs" },
  },
  fileSearch: {
    name: "file_search",
    description: "Searches the stored documents and answers a question from the results, citing sources.",
    fields: { query: "What to find out, as a complete question" },
  },
};

/** A call of such a function without one of its arguments. */
export const delegateArgumentMissing = (tool: string, field: string, isList: boolean): string =>
  `${tool} needs "${field}": ${isList ? "a non-empty list of strings" : "a non-empty string"}`;

/** A request to a built-in tool that came back without text. */
export const delegateEmpty = (tool: string, stopReason: string | undefined): string =>
  `${tool} returned no answer${stopReason === undefined ? "" : ` (${stopReason})`}; rephrase and try again`;
