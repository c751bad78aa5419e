import type { ModelStepValue } from "../durable/run-log.ts";
import type { Json } from "../internal/json.ts";
import { PLACEHOLDER_SIGNATURE, type HistoryOrigin } from "../model/history/prepare-history.ts";
import type { ContentRef, SessionEntry } from "../session/entries.ts";
import type { Content, Part } from "../wire/types/content.ts";
import type { GroupedLog, RunGroup } from "./group-runs.ts";
import type { Item, SessionProblem } from "./read-lines.ts";
import { isModelStep, readValue } from "./rebuild-run.ts";

/** A log whose signatures could be true, what was wrong with them, and what is only worth knowing. */
export interface RepairedSignatures {
  readonly log: GroupedLog;
  readonly problems: readonly SessionProblem[];
  readonly notes: readonly SessionProblem[];
}

/** Standard or URL-safe base64, as the service takes both. */
const BASE64 = /^[\w+/-]+={0,2}$/;

/** Takes signatures off that cannot be read, and those that were made somewhere else. */
export function repairSignatures(log: GroupedLog): RepairedSignatures {
  const problems: SessionProblem[] = [];
  const unsigned: number[] = [];
  /** Where each signature was seen first. */
  const owners = new Map<string, string>();

  const head = mapSame(log.head, (item) => {
    const { position, entry } = item;
    if (entry.type !== "history") return item;
    const parts = mapSame(entry.parts, (segment) => {
      const { origin } = segment;
      // Of unknown origin: what it has of signatures is never sent.
      if (origin === undefined) return segment;
      const contents = mapSame(segment.contents, (content) => repairContent(content, position, origin));
      return contents === segment.contents ? segment : { ...segment, contents };
    });
    return parts === entry.parts ? item : { position, entry: { ...entry, parts } };
  });
  const groups = log.groups.map((group): RunGroup => {
    const { origin } = group.run.entry;
    const repair = <Entry extends Item>(item: Entry): Entry => {
      const entry = mapContents(item.entry, (content) => repairContent(content, item.position, origin));
      // Each kind of entry gives one of its kind.
      return entry === item.entry ? item : { ...item, entry };
    };
    return { ...group, run: repair(group.run), items: group.items.map(repair) };
  });
  return { log: { ...log, head, groups }, problems, notes: noteUnsigned(unsigned) };

  function repairContent(content: Content, position: number, origin: HistoryOrigin): Content {
    if (content.role !== "model") return content;
    const isSigned = /^gemini-(?:[3-9]|\d\d)/.test(origin.family);
    const firstCall = content.parts.findIndex((part) => part.functionCall !== undefined);
    const parts = mapSame(content.parts, (part, index): Part => {
      const isNeeded = isSigned && index === firstCall;
      const { thoughtSignature: signature, ...bare } = part;
      if (signature === undefined || signature === "") {
        if (isNeeded) unsigned.push(position);
        return part;
      }
      const problem = checkSignature(signature, origin);
      if (problem === undefined) return part;
      problems.push({
        position,
        problem,
        remedy: `it is ${isNeeded ? "replaced by a placeholder" : "taken off"}; the model does not see what it thought`,
      });
      return isNeeded ? { ...part, thoughtSignature: PLACEHOLDER_SIGNATURE } : bare;
    });
    return parts === content.parts ? content : { ...content, parts };
  }

  function checkSignature(signature: string, { endpoint, family }: HistoryOrigin): string | undefined {
    if (signature === PLACEHOLDER_SIGNATURE) return undefined;
    if (!BASE64.test(signature) || signature.replace(/=+$/, "").length % 4 === 1) return "a signature is not base64";
    const here = `${family} at ${endpoint}`;
    const owner = owners.get(signature) ?? here;
    owners.set(signature, owner);
    return owner === here ? undefined : `a signature was made by ${owner}, and stands in a run of ${here}`;
  }
}

function noteUnsigned([position, ...others]: readonly number[]): readonly SessionProblem[] {
  if (position === undefined) return [];
  const more = others.length === 0 ? "" : `, and so have ${others.length} more`;
  return [
    {
      position,
      problem: `a first call has no signature${more}, and its model gives one to each`,
      remedy: "a placeholder goes along where one is needed; the model does not see what it thought",
    },
  ];
}

/** An entry of a run with other contents in the places where the model's may stand; the same object when all are the same. */
function mapContents(entry: SessionEntry, change: (content: Content) => Content): SessionEntry {
  switch (entry.type) {
    case "run": {
      const input = mapSame(entry.input, change);
      return input === entry.input ? entry : { ...entry, input };
    }
    case "end": {
      const added = mapSame(entry.added, (ref): ContentRef => ("role" in ref ? change(ref) : ref));
      return added === entry.added ? entry : { ...entry, added };
    }
    case "step": {
      const left = readValue(entry.outcome);
      if (!isModelStep(left)) return entry;
      const { response } = left;
      const content = change(response.content);
      if (content === response.content) return entry;
      const value: ModelStepValue = { ...left, response: { ...response, content } };
      // JSON as it was, in other types.
      return { ...entry, outcome: { ok: true, value: value as unknown as Json } };
    }
    default:
      return entry;
  }
}

/** The same list when no member changes. */
function mapSame<Member>(
  list: readonly Member[],
  change: (member: Member, index: number) => Member,
): readonly Member[] {
  const changed = list.map(change);
  return changed.every((member, i) => member === list[i]) ? list : changed;
}
