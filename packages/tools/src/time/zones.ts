import { ToolError } from "@pollux/core";

/** Abbreviations that are ambiguous, or that IANA doesn't use. */
const ABBREVIATIONS: { readonly [name: string]: readonly string[] } = {
  PST: ["America/Los_Angeles"],
  PDT: ["America/Los_Angeles"],
  PT: ["America/Los_Angeles"],
  MDT: ["America/Denver"],
  MT: ["America/Denver"],
  CST: ["America/Chicago", "Asia/Shanghai"],
  CDT: ["America/Chicago"],
  CT: ["America/Chicago"],
  EDT: ["America/New_York"],
  ET: ["America/New_York"],
  BST: ["Europe/London", "Asia/Dhaka"],
  CEST: ["Europe/Berlin"],
  EEST: ["Europe/Helsinki"],
  IST: ["Asia/Kolkata", "Europe/Dublin", "Asia/Jerusalem"],
  JST: ["Asia/Tokyo"],
  KST: ["Asia/Seoul"],
  SGT: ["Asia/Singapore"],
  AEST: ["Australia/Sydney"],
  AEDT: ["Australia/Sydney"],
  MSK: ["Europe/Moscow"],
  BRT: ["America/Sao_Paulo"],
};

/** `UTC+2`, `GMT-03:30`, `+02:00`, `-8`. */
const OFFSET = /^(?:UTC|GMT)?([+-])(\d{1,2})(?::?([0-5]\d))?$/i;

/**
 * Luxon's name for the zone.
 *
 * @throws {ToolError} If there is no such zone; suggests similar ones.
 */
export function zoneOf(given: string): string {
  const name = given.trim();
  if (/^(?:UTC|GMT|Z)$/i.test(name)) return "UTC";
  const [, sign = "", hours = "", minutes = "0"] = OFFSET.exec(name) ?? [];
  if (sign !== "" && Number(hours) <= 14) {
    const rest = Number(minutes) === 0 ? "" : `:${minutes}`;
    return Number(hours) === 0 && rest === "" ? "UTC" : `UTC${sign}${Number(hours)}${rest}`;
  }
  const underscored = name.replaceAll(/\s+/g, "_");
  // Some engines know abbreviations, but each interprets them differently.
  if (ABBREVIATIONS[name.toUpperCase()] === undefined && isZone(underscored))
    return new Intl.DateTimeFormat("en", { timeZone: underscored }).resolvedOptions().timeZone;
  throw new ToolError(`there is no time zone ${JSON.stringify(name.slice(0, 60))}; ${suggestion(name)}`);
}

function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).format() !== "";
  } catch {
    return false;
  }
}

function suggestion(name: string): string {
  const found = ABBREVIATIONS[name.toUpperCase()] ?? nearest(name);
  if (found.length === 0) return "use an IANA name such as Europe/Berlin or an offset such as UTC+2";
  return found.length === 1 ? `use ${found[0]}` : `use one of ${found.join(", ")}`;
}

/** Up to five zones whose city or full name is similar. */
function nearest(name: string): readonly string[] {
  const wanted = simple(name.split(/[/,]/).at(-1) ?? "").slice(0, 40);
  if (wanted.length < 3) return [];
  const scored = Intl.supportedValuesOf("timeZone").map((zone) => {
    const city = simple(zone.split("/").at(-1) ?? "");
    const near = city.includes(wanted) || wanted.includes(city) ? 0.5 : distance(city, wanted);
    return { zone, score: city === wanted ? 0 : near };
  });
  return scored
    .filter(({ score }) => score <= Math.max(1, Math.floor(wanted.length / 4)))
    .toSorted((a, b) => a.score - b.score)
    .slice(0, 5)
    .map(({ zone }) => zone);
}

function simple(name: string): string {
  return name
    .normalize("NFD")
    .replaceAll(/[^a-z]/gi, "")
    .toLowerCase();
}

/** Edit distance: letters to change, insert or remove. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of a.split("").entries()) {
    const next = [i + 1];
    for (const [j, other] of b.split("").entries())
      next.push(Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (letter === other ? 0 : 1)));
    row = next;
  }
  return row.at(-1) ?? 0;
}
