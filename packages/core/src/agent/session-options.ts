import { checkValue, namesIn, type OptionNames } from "../internal/option-names.ts";
import type { NextInput, ReplacedMessage, WhileRunning } from "../session/runs/run-request.ts";
import type { OwnerBudget } from "../loop/limits.ts";
import { type Answers, hasAnswers } from "../session/runs/session-answers.ts";
import type { SessionHost, SessionLimits } from "../session/runs/session-host.ts";
import type { Unfinished } from "../session/runs/run-closer.ts";
import type { SessionAbout } from "../session/runs/session-runs.ts";
import type { SessionStore } from "../session/store/store.ts";
import type { ContentInput } from "../model/history/import-history.ts";
import type { Content } from "../wire/types/content.ts";
import type { AnyRunOptions } from "./options.ts";
import type { RunInput } from "./run-input.ts";

/** Identity, store and limits of a session. */
export interface SessionOptions extends SessionAbout {
  /** The session's key in its store. @defaultValue a random UUID */
  readonly id?: string | undefined;
  /** @defaultValue a new {@link MemoryStore} */
  readonly store?: SessionStore | undefined;
  /**
   * Contents from before the session, oldest first, such as those of a result: it begins with them, and they are sent as they are. Those
   * of another model or library go through `importHistory()` first. Not read when the store has the session already. @defaultValue none
   */
  readonly history?: readonly ContentInput[] | undefined;
  /**
   * Limits on all runs of the session together; a run that reaches one ends with `limit` and `scope: "session"`, and the next message
   * is refused with `SessionLimitError`. @defaultValue none
   */
  readonly limits?: SessionLimits | undefined;
  /**
   * Asked before each turn how the budget stands that the session shares with others of its owner, in the unit of `prices`, which are
   * required. When nothing is left, the run ends with `limit` and `scope: "owner"`, and can be resumed once something is; if it throws,
   * the run fails. A turn that was made is never decided again. Not asked by runs inside calls, which get no more than was left when the
   * turn began. @defaultValue none
   */
  readonly ownerBudget?: (() => OwnerBudget | Promise<OwnerBudget>) | undefined;
  /**
   * How long a run keeps its session after its process has stopped renewing the lease, in milliseconds; at least 100. A shorter one
   * lets others take over sooner after a crash, also from a process that was only paused. @defaultValue 15_000
   */
  readonly leaseMs?: number | undefined;
}

/** Options of sending a message. */
export interface SendOptions {
  /**
   * What the message does while a run is going: `"refuse"` it with `SessionRunningError`; `"steer"` the run, whose result is returned;
   * `"wait"` until the run is over; or `"replace"` the run, which is stopped. @defaultValue "refuse"
   */
  readonly whileRunning?: WhileRunning | undefined;
  /**
   * If the last run was cut off by a crash or waits for an answer: `"close"` it, its questions withdrawn and its open calls answered as
   * cancelled; `"refuse"` the message with `SessionUnfinishedError`, unless it has steered that run already; or, while it waits, `"steer"`
   * it: the message is stored, the result is that of the run as it waits, and the model reads the message with the outcome once the answer
   * has come. A run that was cut off is closed by `"steer"`, too. A run that has an answer which it has not used, because it was not resumed
   * or was cut off, is not closed but goes on, and hears the message. @defaultValue "close"
   */
  readonly unfinished?: Unfinished | undefined;
  /** Whether an answer that was cut off in the middle becomes part of the history, as far as it was shown. @defaultValue true */
  readonly keepInterrupted?: boolean | undefined;
  /**
   * Id of the message that this one replaces, as in the conversation: that message and all that followed are taken back first, as by
   * {@link Session.rewind}. @defaultValue none
   */
  readonly replaces?: string | undefined;
}

/** Options of {@link Session.rewind}. */
export interface RewindOptions {
  /** Id of the message that goes first, as in the conversation, or of its answer. @defaultValue the last message that began a run */
  readonly before?: string | undefined;
}

/** Options of {@link Session.regenerate}. */
export interface RegenerateOptions {
  /** Id of the answer to make anew, as in the conversation, or of the message that it answers. @defaultValue the last one */
  readonly messageId?: string | undefined;
  /**
   * What happens while a run is going: `"refuse"` with `SessionRunningError`, `"wait"` until it is over, or `"replace"` it: stop it first.
   * @defaultValue "refuse"
   */
  readonly whileRunning?: Exclude<WhileRunning, "steer"> | undefined;
}

/** Options of resuming a run. */
export interface ResumeOptions extends Answers {
  /** Resume a run that another version of the loop started. @defaultValue false */
  readonly anyLoopVersion?: boolean | undefined;
}

/** What {@link Session.continue} continues with. */
export interface ContinueOptions extends SendOptions, ResumeOptions {
  /** Absent with `replaces`: the message that it names is sent once more. */
  readonly message?: RunInput | undefined;
}

/** The names of all options, as for {@link OptionNames}. */
export const SESSION: OptionNames<SessionOptions> = namesIn(
  "id store history limits ownerBudget leaseMs title owner metadata",
);
const SEND: OptionNames<SendOptions> = namesIn("whileRunning unfinished keepInterrupted replaces");
const RESUME: OptionNames<ResumeOptions> = namesIn("approvals outcomes by anyLoopVersion");

/** What a method that starts a run takes besides the options of a run. */
export interface MethodOptions {
  run: object;
  send: SendOptions;
  rewind: RewindOptions;
  regenerate: RegenerateOptions;
  resume: ResumeOptions;
  continue: ContinueOptions;
}

export const METHODS: { readonly [Method in keyof MethodOptions]: OptionNames<MethodOptions[Method]> } = {
  run: {},
  send: SEND,
  rewind: { before: true },
  regenerate: { whileRunning: true, messageId: true },
  resume: RESUME,
  continue: { ...SEND, ...RESUME, message: true },
};

/** What a message and its options say. @param again - A message that is said once more. @throws {TypeError} For a contradiction. */
export function readNextInput(
  host: SessionHost<AnyRunOptions>,
  given: AnyRunOptions & SendOptions & ResumeOptions,
  message?: readonly Content[],
  again?: ReplacedMessage,
): NextInput<AnyRunOptions> {
  const {
    whileRunning = "refuse",
    unfinished = "close",
    keepInterrupted = true,
    replaces: replaced,
    approvals = {},
    outcomes = {},
    by,
    anyLoopVersion = false,
    ...options
  } = given;
  host.check(options);
  checkValue("whileRunning", whileRunning, ["refuse", "steer", "wait", "replace"]);
  checkValue("unfinished", unfinished, ["close", "refuse", "steer"]);
  const answers = { approvals, outcomes, by };
  const replaces = again ?? (replaced === undefined ? undefined : { messageId: replaced });
  if (replaces !== undefined && whileRunning === "steer")
    throw new TypeError('whileRunning: a message cannot "steer" a run and take the place of another message');
  if (replaces !== undefined && hasAnswers(answers))
    throw new TypeError("replaces takes back the calls that wait, so they cannot be answered as well");
  return {
    message,
    replaces,
    answers,
    whileRunning,
    unfinished,
    keepInterrupted,
    anyLoopVersion,
    runId: options.runId ?? crypto.randomUUID(),
    metadata: options.metadata,
    options,
    signal: options.signal,
  };
}
