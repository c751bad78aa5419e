import { PLACEHOLDER_SIGNATURE } from "../model/history/change-calls.ts";
import type { HistoryOrigin } from "../model/history/import-history.ts";
import type { SessionEntry } from "../session/log/entries.ts";
import type { ContentRef, TurnRecord } from "../session/log/turn-record.ts";
import type { Content, Part } from "../wire/types/content.ts";
import { isModelStep, readValue, withValue } from "./entry-shape.ts";
import type { Item, ReadLog, Report, RunGroup, SessionProblem } from "./read-log.ts";

/** Standard or URL-safe base64: the service accepts both. */
const BASE64 = /^[\w+/-]+={0,2}$/;

/** Removes signatures that are not base64, and those from another model or endpoint. */
export function repairSignatures(
  log: ReadLog,
  report: Report,
): { readonly log: ReadLog; readonly notes: readonly SessionProblem[] } {
  const unsigned: number[] = [];
  /** Where each signature was seen first. */
  const owners = new Map<string, string>();
  const repair = <One extends Item>(item: One, runOrigin?: HistoryOrigin): One => {
    const { position } = item;
    const entry = mapContents(item.entry, runOrigin, (content, origin) => repairContent(content, position, origin));
    return entry === item.entry ? item : { ...item, entry };
  };
  const head = log.head.map((item) => repair(item));
  const groups = log.groups.map((group): RunGroup => {
    const { origin } = group.run.entry;
    return { ...group, run: repair(group.run, origin), items: group.items.map((item) => repair(item, origin)) };
  });
  return { log: { ...log, head, groups }, notes: noteUnsigned(unsigned) };

  function repairContent(content: Content, position: number, origin: HistoryOrigin | undefined): Content {
    // Signatures of unknown origin are never sent.
    if (content.role !== "model" || origin === undefined) return content;
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
      const change = isNeeded ? "replaced by a placeholder" : "removed";
      report(position, problem, `it is ${change}; the model does not see its earlier thoughts`);
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
    return owner === here ? undefined : `a signature was made by ${owner}, but is in a run of ${here}`;
  }
}

function noteUnsigned([position, ...others]: readonly number[]): readonly SessionProblem[] {
  if (position === undefined) return [];
  const more = others.length === 0 ? "" : ` (nor do ${others.length} more)`;
  return [
    {
      position,
      problem: `the first call of a turn has no signature${more}, although its model signs each`,
      remedy: "a placeholder is sent where one is required; the model does not see its earlier thoughts",
    },
  ];
}

/** An entry with other contents of its run, or imported ones with their own origin; the same object when nothing changes. */
function mapContents(
  entry: SessionEntry,
  runOrigin: HistoryOrigin | undefined,
  change: (content: Content, origin: HistoryOrigin | undefined) => Content,
): SessionEntry {
  const changeOwn = (content: Content): Content => change(content, runOrigin);
  const changeTurn = <Turn extends TurnRecord>(turn: Turn): Turn => {
    const contents = mapSame(turn.contents, (ref): ContentRef => ("role" in ref ? changeOwn(ref) : ref));
    return contents === turn.contents ? turn : { ...turn, contents };
  };
  switch (entry.type) {
    case "history": {
      const parts = mapSame(entry.parts, (segment) => {
        const contents = mapSame(segment.contents, (content) => change(content, segment.origin));
        return contents === segment.contents ? segment : { ...segment, contents };
      });
      return parts === entry.parts ? entry : { ...entry, parts };
    }
    case "run": {
      const input = mapSame(entry.input, changeOwn);
      return input === entry.input ? entry : { ...entry, input };
    }
    case "end": {
      const open = mapSame(entry.open, changeTurn);
      return open === entry.open ? entry : { ...entry, open };
    }
    case "turn":
      return changeTurn(entry);
    case "step": {
      const value = readValue(entry.outcome);
      if (!isModelStep(value)) return entry;
      const content = changeOwn(value.response.content);
      if (content === value.response.content) return entry;
      return withValue(entry, { ...value, response: { ...value.response, content } });
    }
    default:
      return entry;
  }
}

function mapSame<Member>(
  list: readonly Member[],
  change: (member: Member, index: number) => Member,
): readonly Member[] {
  const changed = list.map(change);
  return changed.every((member, i) => member === list[i]) ? list : changed;
}
