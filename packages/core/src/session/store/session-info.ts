import type { CallStepValue, ModelStepValue } from "../../durable/run-log.ts";
import type { Outcome } from "../../durable/steps.ts";
import { cutText } from "../../internal/text.ts";
import type { Content } from "../../wire/types/content.ts";
import { isResumable, type SessionEntry } from "../log/entries.ts";
import type { SessionInfo } from "./store.ts";

/** Most characters of a title that is made from a message. */
const TITLE_CHARACTERS = 80;

/** What is known of a session after some entries; the value is never changed. */
export interface InfoFold {
  /** Absent before the first entry. */
  readonly info: SessionInfo | undefined;
  /** The first words of the first message. */
  readonly firstWords: string | undefined;
  /** Ids of the runs up to the one whose message has them. */
  readonly opening: readonly string[];
  readonly title: string | undefined;
  /** What the runs before the last have used. */
  readonly before: Used;
  readonly runId: string | undefined;
}

type Used = Pick<SessionInfo, "turns" | "totalTokens" | "cost" | "unpriced">;

const NOTHING_USED: Used = { turns: 0, totalTokens: 0, cost: 0 };

/** Of a session without entries. */
export const NO_INFO: InfoFold = {
  info: undefined,
  firstWords: undefined,
  opening: [],
  title: undefined,
  before: NOTHING_USED,
  runId: undefined,
};

/** What is known after some more entries: a store gets it with the append that adds them. */
export function foldInfo(fold: InfoFold, entries: readonly SessionEntry[]): InfoFold {
  return entries.reduce(addEntry, fold);
}

function addEntry(fold: InfoFold, entry: SessionEntry): InfoFold {
  const info: SessionInfo = fold.info ?? { state: "idle", createdAt: entry.at, messages: 0, ...NOTHING_USED };
  switch (entry.type) {
    case "info": {
      const { title, owner, metadata } = entry;
      const named = title === undefined ? fold.title : (title ?? undefined);
      return withTitle({
        ...fold,
        title: named,
        info: {
          ...info,
          ...(owner !== undefined && { owner: owner ?? undefined }),
          ...(metadata !== undefined && { metadata: metadata ?? undefined }),
        },
      });
    }
    case "history": {
      const words = fold.firstWords ?? firstWordsOf(entry.parts.flatMap(({ contents }) => [...contents]));
      return withTitle({ ...fold, firstWords: words, info });
    }
    case "steer":
      return withTitle({ ...fold, firstWords: fold.firstWords ?? firstWordsOf(entry.contents), info });
    case "run":
      return withTitle({
        ...fold,
        firstWords: fold.firstWords ?? firstWordsOf(entry.input),
        opening: fold.firstWords === undefined ? [...fold.opening, entry.runId] : fold.opening,
        runId: entry.runId,
        before: { turns: info.turns, totalTokens: info.totalTokens, cost: info.cost, unpriced: info.unpriced },
        info: {
          ...info,
          state: "running",
          messages: info.messages + (entry.input.length > 0 ? 1 : 0),
          runMetadata: entry.metadata,
        },
      });
    case "resume":
      return entry.runId === fold.runId
        ? { ...fold, info: { ...info, ...fold.before, cost: info.cost, state: "running" } }
        : { ...fold, info };
    case "step":
      if (entry.runId !== fold.runId || info.state !== "running") return { ...fold, info };
      return { ...fold, info: { ...info, cost: info.cost + costOf(entry.outcome) } };
    case "rewind": {
      const first = fold.opening.indexOf(entry.before);
      return withTitle({
        ...fold,
        ...(first >= 0 && { firstWords: undefined, opening: fold.opening.slice(0, first) }),
        runId: undefined,
        info: { ...info, state: "idle" },
      });
    }
    case "end": {
      if (entry.runId !== fold.runId) return { ...fold, info };
      const { turns, usage, cost = 0, pricesAsOf = info.pricesAsOf, pending } = entry;
      const unpriced = fold.before.unpriced ?? entry.unpriced;
      const used = {
        turns: fold.before.turns + turns,
        totalTokens: fold.before.totalTokens + usage.totalTokens,
        cost: fold.before.cost + cost,
        unpriced,
      };
      const state = pending !== undefined ? "waiting" : isResumable(entry) ? "stopped" : "idle";
      return { ...fold, info: { ...info, ...used, ...(pricesAsOf !== undefined && { pricesAsOf }), state } };
    }
    default:
      return { ...fold, info };
  }
}

/** What a step of a run that is going has cost: a request, or the runs inside a call or a summary. */
function costOf(outcome: Outcome): number {
  if (!outcome.ok) return 0;
  // Other steps have no such members.
  const { cost = 0, nested = [] } = (outcome.value ?? {}) as Partial<ModelStepValue & CallStepValue>;
  return nested.reduce((sum, run) => sum + (run.cost ?? 0), cost);
}

function withTitle(fold: InfoFold): InfoFold {
  const title = fold.title ?? fold.firstWords;
  return fold.info === undefined || fold.info.title === title ? fold : { ...fold, info: { ...fold.info, title } };
}

function firstWordsOf(contents: readonly Content[]): string | undefined {
  for (const { role, parts } of contents) {
    if (role === "model") continue;
    const text = parts
      .map((part) => part.text ?? "")
      .join(" ")
      .replaceAll(/\s+/g, " ")
      .trim();
    if (text === "") continue;
    if (text.length <= TITLE_CHARACTERS) return text;
    const cut = cutText(text, TITLE_CHARACTERS);
    const lastSpace = cut.lastIndexOf(" ");
    return `${lastSpace > TITLE_CHARACTERS / 2 ? cut.slice(0, lastSpace) : cut}…`;
  }
  return undefined;
}
