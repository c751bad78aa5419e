const MONTHS = "january february march april may june july august september october november december".split(" ");
const DEFAULT_YEAR = 2026;

const MONTH =
  "(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:tember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)";
const HOLIDAYS: readonly (readonly [name: RegExp, month: string, day: string])[] = [
  [/\bchristmas eve\b/gi, "dec", "24"],
  [/\bchristmas(?: day)?\b/gi, "dec", "25"],
  [/\bnew year['’]?s eve\b/gi, "dec", "31"],
  [/\bhalloween\b/gi, "oct", "31"],
];
const DATES: readonly (readonly [RegExp, (...found: string[]) => string])[] = [
  [/\b(\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})?)?)(?!\d)/g, (date) => date],
  [
    new RegExp(String.raw`\b${MONTH}\.?\s+(\d{1,2})(?:st|nd|rd|th)?\b(?:,?\s+(\d{4})\b)?`, "gi"),
    (month, day, year) => isoDate(month, day, year),
  ],
  [
    new RegExp(String.raw`\b(\d{1,2})(?:st|nd|rd|th)?\s+(?:of\s+)?${MONTH}\b(?:,?\s+(\d{4})\b)?`, "gi"),
    (day, month, year) => isoDate(month, day, year),
  ],
  ...HOLIDAYS.map(([name, month, day]): readonly [RegExp, () => string] => [name, () => isoDate(month, day)]),
  [
    /\b(today|tomorrow|tonight|yesterday|(?:next|this|on)\s+(?:week|weekend|month|(?:mon|tues|wednes|thurs|fri|satur|sun)day))\b/gi,
    (words) => words.toLowerCase().replace(/^on /, ""),
  ],
];

/** The dates in a text, and the text without them. */
export function datesIn(text: string): { readonly dates: readonly string[]; readonly rest: string } {
  const found: { date: string; at: number }[] = [];
  let rest = text;
  for (const [pattern, build] of DATES) {
    for (const match of rest.matchAll(pattern))
      found.push({ date: build(...match.slice(1).map((group: string | undefined) => group ?? "")), at: match.index });
    rest = rest.replaceAll(pattern, (words) => " ".repeat(words.length));
  }
  const dates = found.toSorted((left, right) => left.at - right.at).map(({ date }) => date);
  return { dates: [...new Set(dates)], rest };
}

/** The times of day in a text as `14:30`, and the text without them. */
export function timesIn(text: string): { readonly times: readonly string[]; readonly rest: string } {
  const times: string[] = [];
  const rest = text.replaceAll(
    /\b(\d{1,2})(?::(\d{2}))?\s*([ap])\.?m\b\.?|\b(\d{1,2}):(\d{2})\b|\bat\s+(noon|midnight)\b/gi,
    (whole: string, hour?: string, minute?: string, half?: string, hours?: string, minutes?: string, word?: string) => {
      if (word !== undefined) times.push(word.toLowerCase() === "noon" ? "12:00" : "00:00");
      else if (hours !== undefined) times.push(`${hours.padStart(2, "0")}:${minutes}`);
      else {
        const twelve = Number(hour) % 12;
        const of24 = half?.toLowerCase() === "p" ? twelve + 12 : twelve;
        times.push(`${String(of24).padStart(2, "0")}:${minute ?? "00"}`);
      }
      return " ".repeat(whole.length);
    },
  );
  return { times: [...new Set(times)], rest };
}

/** A date as `2026-12-24`, also where the text only says `tomorrow`: then counted from the emulator's own day. */
export function concreteDate(date: string): string {
  if (/^\d{4}-/.test(date)) return date.slice(0, 10);
  const days = date === "tomorrow" ? 1 : date === "yesterday" ? -1 : /^(?:today|tonight)$/.test(date) ? 0 : 7;
  return new Date(Date.UTC(DEFAULT_YEAR, 10, 21 + days)).toISOString().slice(0, 10);
}

function isoDate(month = "", day = "", year = ""): string {
  const index = MONTHS.findIndex((name) => name.startsWith(month.toLowerCase().slice(0, 3)));
  return `${year === "" ? DEFAULT_YEAR : year}-${String(index + 1).padStart(2, "0")}-${day.padStart(2, "0")}`;
}
