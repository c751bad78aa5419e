/**
 * The factor by which processor time grows when work is `times` as large: about `times` if the time is proportional to the size, and
 * `times` squared if each step looks at all earlier ones. Takes the minimum of three runs of each size, or of seven where three don't
 * show proportion yet, so that neither the speed of the machine nor its other work matters.
 */
export function growthOf(work: (size: number) => void, size: number, times: number): number {
  let [small, large] = [Infinity, Infinity];
  for (let go = 0; go < 3 || (go < 7 && large > 1.5 * times * small); go++) {
    small = Math.min(small, processorTime(work, size));
    large = Math.min(large, processorTime(work, size * times));
  }
  return large / small;
}

/** In microseconds; at least a millisecond, since the platform counts in steps. */
function processorTime(work: (size: number) => void, size: number): number {
  const before = process.cpuUsage();
  work(size);
  const { user, system } = process.cpuUsage(before);
  return Math.max(1_000, user + system);
}
