/**
 * Which of several hypotheses are rejected, so that a true one is in at most a share `level` of repetitions.
 *
 * @returns for each p, in its order
 * @see Holm 1979
 */
export function holm(ps: readonly number[], level: number): boolean[] {
  const rejected = ps.map(() => false);
  const order = [...ps.keys()].toSorted((a, b) => (ps[a] ?? 1) - (ps[b] ?? 1));
  for (const [rank, index] of order.entries()) {
    if ((ps[index] ?? 1) > level / (ps.length - rank)) break;
    rejected[index] = true;
  }
  return rejected;
}
