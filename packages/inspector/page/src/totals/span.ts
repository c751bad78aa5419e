/** Spans of time that can be chosen, by their place in the address. */
export const SPANS: Readonly<Record<string, string>> = {
  today: "Today",
  "7d": "7 days",
  "30d": "30 days",
  all: "All",
};

/** A span of days in the address: the first and the last one. */
export const DAYS = /^(\d{4}-\d\d-\d\d)\.\.(\d{4}-\d\d-\d\d)$/;

/**
 * What to ask for: days begin at midnight where the reader is.
 *
 * @param now - In milliseconds since the epoch.
 */
export function spanQuery(span: string, now: number): URLSearchParams {
  const [, first, last] = DAYS.exec(span) ?? [];
  if (first !== undefined && last !== undefined) {
    const [from, to] = [startOf(first, 0), startOf(last, 1)];
    return new URLSearchParams(from > 0 && to > from ? { from: String(from), to: String(to) } : {});
  }
  const days = span === "today" ? 0 : span === "30d" ? 29 : span === "all" ? undefined : 6;
  if (days === undefined) return new URLSearchParams();
  const start = new Date(now);
  start.setHours(0, 0, 0, 0);
  start.setDate(start.getDate() - days);
  return new URLSearchParams({ from: String(start.getTime()) });
}

/** Midnight at the start of a day, or of one that comes later; 0 for what is no day. */
function startOf(day: string, later: number): number {
  const date = new Date(`${day}T00:00:00`);
  date.setDate(date.getDate() + later);
  return Math.max(0, date.getTime()) || 0;
}
