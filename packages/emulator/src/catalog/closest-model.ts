import type { ModelFacts } from "./model-facts.ts";
import { findModel, MODELS, NEWEST_FLASH } from "./models.ts";

/**
 * Facts for an id that is not in the catalog: the facts of the model of its generation that shares the most words with it. A
 * generation without models is treated like the previous one; an id without a number, like the newest flash.
 */
export function closestModel(id: string): ModelFacts {
  const [, line = "", number] = /^(gemini|gemma)-(\d+(?:\.\d+)?)/.exec(id) ?? [];
  const generation = Number(number ?? NEWEST_FLASH.generation);
  const peers = peersOf(line, generation);
  const [first = NEWEST_FLASH, ...rest] = peers;
  const closest = rest.reduce((best, model) => (likeness(model.id, id) > likeness(best.id, id) ? model : best), first);
  return { ...(number === undefined ? NEWEST_FLASH : closest), id, generation };
}

/** Models of the newest generation up to this one, preferred ones first. */
function peersOf(line: string, generation: number): readonly ModelFacts[] {
  const known = MODELS.filter(({ id, generates }) => generates && id.startsWith(`${line}-`));
  const generations = known.map((model) => model.generation).toSorted((a, b) => a - b);
  const nearest = generations.findLast((one) => one <= generation) ?? generations[0];
  const peers = known.filter((model) => model.generation === nearest);
  const newest = findModel(NEWEST_FLASH.id);
  return newest !== undefined && peers.includes(newest) ? [newest, ...peers] : peers;
}

/** The number of words that two ids share, minus the number that only one of them has. */
function likeness(a: string, b: string): number {
  const [ours, theirs] = [wordsOf(a), wordsOf(b)];
  const shared = [...ours].filter((word) => theirs.has(word)).length;
  return 3 * shared - ours.size - theirs.size;
}

/** The words of an id that name the kind of model, without dates and release stages. */
function wordsOf(id: string): ReadonlySet<string> {
  return new Set(
    id
      .split("-")
      .slice(2)
      .filter((word) => !/^(?:\d+|preview|exp|latest)$/.test(word)),
  );
}
