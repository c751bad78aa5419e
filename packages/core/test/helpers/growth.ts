/**
 * How many times as much processor time work takes that is so many times as large: about `times` where time is in proportion to
 * the size, and `times` squared where each step looks at all that came before. The least of some goes each, so that neither the
 * speed of the machine nor what else it does matters: three, or seven where it is not yet in proportion.
 */
export function growthOf(work: (size: number) => void, size: number, times: number): number {
  let [small, large] = [Infinity, Infinity];
  for (let go = 0; go < 3 || (go < 7 && large > 1.5 * times * small); go++) {
    small = Math.min(small, processorTime(work, size));
    large = Math.min(large, processorTime(work, size * times));
  }
  return large / small;
}

/** In microseconds; at least a millisecond, since it is counted in steps. */
function processorTime(work: (size: number) => void, size: number): number {
  const before = process.cpuUsage();
  work(size);
  const { user, system } = process.cpuUsage(before);
  return Math.max(1_000, user + system);
}
