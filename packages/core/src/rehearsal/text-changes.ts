/** A change of a text: UTF-16 positions in the old text and the new one, never inside a surrogate pair. */
export interface TextChange {
  readonly from: number;
  readonly to: number;
  readonly newFrom: number;
  readonly newTo: number;
}

/** Characters that both texts must share after a change to end it. */
const ANCHOR = 8;

/** The changes that turn one text into another, in order. Changes with only a short shared text between them count as one. */
export function findChanges(was: string, is: string): readonly TextChange[] {
  if (was === is) return [];
  const [old, now] = [Array.from(was), Array.from(is)];
  let tail = 0;
  while (tail < Math.min(old.length, now.length) && old.at(-1 - tail) === now.at(-1 - tail)) tail++;
  const [oldEnd, newEnd] = [old.length - tail, now.length - tail];
  const anchors = anchorsOf(now, newEnd);
  const changes: TextChange[] = [];
  let [i, j] = [0, 0];
  let [at, newAt] = [0, 0];
  const pass = (steps: number, newSteps: number): void => {
    for (const end = i + steps; i < end; i++) at += old[i]?.length ?? 0;
    for (const end = j + newSteps; j < end; j++) newAt += now[j]?.length ?? 0;
  };
  for (;;) {
    let shared = 0;
    while (i + shared < oldEnd && j + shared < newEnd && old[i + shared] === now[j + shared]) shared++;
    pass(shared, shared);
    if (i === oldEnd && j === newEnd) return changes;
    const next = findNext(old, i, oldEnd, j, anchors) ?? { i: oldEnd, j: newEnd };
    const [from, newFrom] = [at, newAt];
    pass(next.i - i, next.j - j);
    changes.push({ from, to: at, newFrom, newTo: newAt });
  }
}

/** Where each text of {@link ANCHOR} characters begins. */
function anchorsOf(text: readonly string[], end: number): ReadonlyMap<string, readonly number[]> {
  const anchors = new Map<string, number[]>();
  for (let at = 0; at + ANCHOR <= end; at++) {
    const anchor = text.slice(at, at + ANCHOR).join("");
    const known = anchors.get(anchor);
    if (known === undefined) anchors.set(anchor, [at]);
    else known.push(at);
  }
  return anchors;
}

/** The nearest place from which both texts continue alike. */
function findNext(
  old: readonly string[],
  i: number,
  end: number,
  j: number,
  anchors: ReadonlyMap<string, readonly number[]>,
): { readonly i: number; readonly j: number } | undefined {
  let best: { readonly i: number; readonly j: number } | undefined;
  let distance = Infinity;
  for (let at = i; at + ANCHOR <= end && at - i < distance; at++) {
    const found = anchors.get(old.slice(at, at + ANCHOR).join(""))?.find((one) => one >= j);
    if (found === undefined || at - i + found - j >= distance) continue;
    best = { i: at, j: found };
    distance = at - i + found - j;
  }
  return best;
}

/** A range of the old text as a range of the new one. A range that overlaps a change takes in all of it. */
export function moveRange(
  changes: readonly TextChange[],
  { start, end }: { readonly start: number; readonly end: number },
): { readonly start: number; readonly end: number } {
  const before = changes.findLast(({ from, to }) => from < start || to <= start);
  const last = changes.findLast(({ from }) => from < end);
  const move = (at: number, change: TextChange | undefined): number => at + (change ? change.newTo - change.to : 0);
  const movedStart = before !== undefined && before.to > start ? before.newFrom : move(start, before);
  const movedEnd = last !== undefined && last.to > end ? last.newTo : move(end, last);
  return { start: movedStart, end: Math.max(movedStart, movedEnd) };
}
