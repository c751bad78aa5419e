/** Numbers, sizes and times for people. */

const COUNT = new Intl.NumberFormat("en-US");

export function formatCount(value: number): string {
  return COUNT.format(value);
}

/** "1 turn", "1,200 turns". */
export function formatPlural(count: number, one: string, many: string = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** Exact up to four digits, then short: "9,876", "12.3k", "4.56M". */
export function formatTokens(tokens: number): string {
  if (tokens < 10_000) return formatCount(tokens);
  if (tokens < 999_950) return `${trim((tokens / 1000).toFixed(1))}k`;
  return `${trim((tokens / 1_000_000).toFixed(2))}M`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${formatCount(bytes)} B`;
  if (bytes < 999_950) return `${trim((bytes / 1000).toFixed(1))} kB`;
  return `${trim((bytes / 1_000_000).toFixed(2))} MB`;
}

export function formatDuration(ms: number): string {
  if (ms < 1) return "0 ms";
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(2)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${(ms / 1000).toFixed(1)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** The time since something, or its date after 30 days. */
export function formatAge(at: number, now: number): string {
  const seconds = Math.round((now - at) / 1000);
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  if (seconds < 30 * 86_400) return `${Math.floor(seconds / 86_400)} d ago`;
  return new Date(at).toISOString().slice(0, 10);
}

/** Local date and time to the second: "2026-05-04 14:03:12". */
export function formatDate(at: number): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return "unknown";
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day} ${formatTime(at)}`;
}

/** Local time of day: "14:03:12". */
export function formatTime(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime())
    ? "unknown"
    : [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
}

export function formatPercent(part: number, whole: number): string {
  return whole === 0 ? "0%" : `${Math.round((100 * part) / whole)}%`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** Removes trailing zeros. */
function trim(text: string): string {
  return text.replace(/\.?0+$/, "");
}

/** The label of a mark of untrusted or private content. */
export function readsText(reads: string): string {
  return reads === "both" ? "untrusted, private" : reads;
}

/** The title of a turn. */
export function turnTitle({ number }: { readonly number: number }): string {
  return number === 0 ? "Turn without an answer" : `Turn ${number}`;
}

/** A text with a period at its end. */
export function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
