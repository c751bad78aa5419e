// Facts that a model knows by heart, as far as everyday arguments need them.

const ZONES =
  "Europe/Oslo oslo norway|Europe/London london uk england britain|Europe/Paris paris france|Europe/Berlin berlin munich hamburg germany|Europe/Rome rome milan italy|Europe/Madrid madrid barcelona spain|Europe/Lisbon lisbon portugal|Europe/Amsterdam amsterdam|Europe/Brussels brussels|Europe/Zurich zurich geneva switzerland|Europe/Vienna vienna austria|Europe/Stockholm stockholm sweden|Europe/Copenhagen copenhagen denmark|Europe/Helsinki helsinki finland|Europe/Dublin dublin ireland|Europe/Athens athens greece|Europe/Istanbul istanbul|Europe/Kyiv kyiv|Europe/Warsaw warsaw poland|Europe/Prague prague|America/New_York new york|America/New_York boston washington miami|America/Chicago chicago|America/Denver denver|America/Los_Angeles los angeles|America/Los_Angeles seattle california|America/Los_Angeles san francisco|America/Toronto toronto|America/Mexico_City mexico city|America/Sao_Paulo são paulo|America/Sao_Paulo sao paulo|America/Lima lima peru|America/Bogota bogota|America/Argentina/Buenos_Aires buenos aires|Africa/Nairobi nairobi kenya|Africa/Cairo cairo egypt|Africa/Lagos lagos nigeria|Africa/Johannesburg johannesburg|Asia/Tokyo tokyo osaka japan|Asia/Seoul seoul|Asia/Shanghai beijing shanghai china|Asia/Hong_Kong hong kong|Asia/Singapore singapore|Asia/Kolkata delhi mumbai india|Asia/Dubai dubai|Australia/Sydney sydney|Australia/Melbourne melbourne|Pacific/Auckland auckland|UTC utc gmt";

const TWO_WORDS = new Set([
  "new york",
  "los angeles",
  "san francisco",
  "mexico city",
  "são paulo",
  "sao paulo",
  "buenos aires",
  "hong kong",
]);

const ZONE_OF: ReadonlyMap<string, string> = new Map(
  ZONES.split("|").flatMap((row) => {
    const [zone = "", ...places] = row.split(" ");
    const whole = places.join(" ");
    return TWO_WORDS.has(whole) ? [[whole, zone] as const] : places.map((place) => [place, zone] as const);
  }),
);

const CURRENCY_OF: ReadonlyMap<string, string> = new Map(
  "usd USD|dollar USD|dollars USD|$ USD|eur EUR|euro EUR|euros EUR|€ EUR|gbp GBP|pound GBP|pounds GBP|£ GBP|jpy JPY|yen JPY|¥ JPY|nok NOK|kroner NOK|sek SEK|kronor SEK|dkk DKK|chf CHF|francs CHF|cad CAD|aud AUD|cny CNY|yuan CNY|inr INR|rupees INR|brl BRL|reais BRL|mxn MXN|pesos MXN|krw KRW|won KRW|pln PLN|zloty PLN"
    .split("|")
    .map((row) => {
      const [word = "", code = ""] = row.split(" ");
      return [word, code];
    }),
);

const LANGUAGES: ReadonlyMap<string, string> = new Map(
  "English en|French fr|German de|Spanish es|Italian it|Portuguese pt|Dutch nl|Norwegian no|Swedish sv|Danish da|Finnish fi|Polish pl|Czech cs|Greek el|Turkish tr|Russian ru|Ukrainian uk|Arabic ar|Hebrew he|Hindi hi|Japanese ja|Korean ko|Chinese zh|Latin la"
    .split("|")
    .map((row) => {
      const [name = "", code = ""] = row.split(" ");
      return [name, code];
    }),
);

/** The time zones a text names, by name, by offset or by a city. */
export function zonesIn(text: string): string[] {
  const words = [
    ...text.matchAll(/\b[A-Z][a-z]+\/[A-Z][A-Za-z_]+(?:\/[A-Z][A-Za-z_]+)?|\bUTC[+-]\d{1,2}(?::\d\d)?|[\p{L}]+/gu),
  ].map(([word]) => word);
  return words.flatMap((word, index) => {
    if (/[/+-]/.test(word)) return [word];
    const next = words[index + 1]?.toLowerCase() ?? "";
    const before = words[index - 1]?.toLowerCase() ?? "";
    const lower = word.toLowerCase();
    if (TWO_WORDS.has(`${before} ${lower}`)) return [];
    return ZONE_OF.get(`${lower} ${next}`) ?? ZONE_OF.get(lower) ?? [];
  });
}

/** The currencies a text names, as codes. `won` and `pounds` count only beside another sign of money. */
export function currenciesIn(text: string): string[] {
  const words = [...text.matchAll(/[$€£¥]|[\p{L}]+/gu)].map(([word]) => word);
  const found = words.flatMap((word) => {
    const code = CURRENCY_OF.get(word.toLowerCase());
    return code === undefined ? [] : [{ code, sure: !/^(?:won|pounds?)$/i.test(word) }];
  });
  return found.filter(({ sure }) => sure || found.length > 1).map(({ code }) => code);
}

/** The languages a text names, in English. */
export function languagesIn(text: string): string[] {
  return [...text.matchAll(/\b\p{Lu}\p{L}+/gu)].map(([word]) => word).filter((word) => LANGUAGES.has(word));
}

/** The two-letter code of a language. */
export function languageCode(language: string): string {
  return LANGUAGES.get(language) ?? "en";
}
