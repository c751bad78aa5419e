/**
 * A clock that tells milliseconds since the epoch and never jumps: it reads the system's time once, and from then on counts what has
 * passed. Differences of its times are durations. It stands while the machine sleeps, where the platform's counter does.
 */
export function steadyClock(): () => number {
  const epoch = Date.now();
  const begun = performance.now();
  return () => epoch + Math.floor(performance.now() - begun);
}
