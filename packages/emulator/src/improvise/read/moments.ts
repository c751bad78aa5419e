const MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");
const YEAR = 2026;
const MONTH = `(${MONTHS.join("|")})[a-z]*`;
const DATES = new RegExp(
  String.raw`\b(\d{4}-\d{2}-\d{2})(?!\d)|\b${MONTH}\.?\s+(\d{1,2})\b(?:,?\s+(\d{4})\b)?|\b(\d{1,2})\s+${MONTH}\b(?:,?\s+(\d{4})\b)?|\b(today|tomorrow|tonight|yesterday)\b`,
  "gi",
);
const TIMES = /\b(\d{1,2})(?::(\d{2}))?\s*([ap])m\b|\b(\d{1,2}):(\d{2})\b/gi;

/** The dates of a text as `2026-12-24`, its times as `14:30`, and the text without them. `tomorrow` is counted from the emulator's own day. */
export function momentsIn(text: string): {
  readonly dates: readonly string[];
  readonly times: readonly string[];
  readonly rest: string;
} {
  const dates = new Set<string>();
  const undated = text.replaceAll(DATES, (words, iso, month, day, year, day2, month2, year2, word) => {
    if (iso !== undefined) dates.add(iso);
    else if (word !== undefined) dates.add(dayFrom(word.toLowerCase()));
    else dates.add(dateOf(month ?? month2, day ?? day2, year ?? year2));
    return " ".repeat(words.length);
  });
  const times = new Set<string>();
  const rest = undated.replaceAll(TIMES, (words, hour, minute = "00", half, hours, minutes) => {
    const hourOf24 = half === undefined ? hours : `${(Number(hour) % 12) + (half.toLowerCase() === "p" ? 12 : 0)}`;
    times.add(`${hourOf24.padStart(2, "0")}:${half === undefined ? minutes : minute}`);
    return " ".repeat(words.length);
  });
  return { dates: [...dates], times: [...times], rest };
}

function dayFrom(word: string): string {
  const days = word === "tomorrow" ? 1 : word === "yesterday" ? -1 : 0;
  return new Date(Date.UTC(YEAR, 10, 21 + days)).toISOString().slice(0, 10);
}

function dateOf(month: string, day: string, year = `${YEAR}`): string {
  const number = MONTHS.indexOf(month.slice(0, 3).toLowerCase()) + 1;
  return `${year}-${String(number).padStart(2, "0")}-${day.padStart(2, "0")}`;
}
