// Capitalized at the start of a sentence or of a request, but not names.
const COMMON = new Set(
  "a an and are as at be book but by calculate call can check compare convert could count create delete describe did do does draw email execute explain extract fetch find for from get give go google has have hello help hey hi how i if in invoice is it its let list look mail make mark may me message move multiply my need new note of on open or order plan please print put read remember remind remove rename replace reserve run save say search see send set should show so subtract sum summarise summarize tell text thank thanks that the then there these they this to today tomorrow translate tonight turn update use visit was we weather were what what's when where which who why will with would write yes yesterday you your add divide monday tuesday wednesday thursday friday saturday sunday january february march april june july august september october november december json api url sql http https todo usd eur gbp jpy nok sek chf pdf csv html am pm ok okay".split(
    " ",
  ),
);

const PREPOSITIONS = /^\s+(?:for|at|on|in|to|and|or|from|by|with|tonight|today|tomorrow)\b/;

/** Words that never name a place, though they follow `in` or `for`. */
const NO_PLACE =
  /^(?:me|you|us|it|him|her|them|this|that|the|a|an|my|your|our|which|what|all|each|total|general|short|detail|words?|english|celsius|fahrenheit|today|tomorrow|tonight|now|here|there|please|lunch|dinner|breakfast|files?|folder|stock|one|two|three|four|five|six|ten|some|any|every|particular|order|fact|case|parallel|advance|time|degrees?|\d+)$/i;

/** Capitalized words in a row, also with particles between the words of a name: `Tour de France`, `Ludwig van Beethoven`. */
const NAME =
  /\p{Lu}[\p{L}\d'’-]*(?:[ \t]+(?:(?:de|da|di|du|del|la|le|van|von|der|den)[ \t]+){0,2}\p{Lu}[\p{L}\d'’-]*)*/gu;

/** The names in a text: capitalized words, and, if there are none, the places that it mentions in lower case. */
export function namesIn(text: string): string[] {
  const found = [...text.matchAll(NAME)].flatMap(({ 0: phrase, index }) => {
    const words = phrase.split(/\s+/);
    while (words.length > 0 && COMMON.has((words[0] ?? "").toLowerCase())) words.shift();
    const after = text.slice(index + phrase.length, index + phrase.length + 40);
    const whole = words.join(" ");
    // `Oslo's weather` is about Oslo, but `Luigi's` is the name of a place.
    const name = PREPOSITIONS.test(after) || !/^\s+\p{Ll}/u.test(after) ? whole : whole.replace(/['’]s$/, "");
    const before = text.slice(Math.max(0, index - 3), index).trimEnd();
    const opens = words.length === 1 && phrase === words[0] && (before === "" || /[.!?:\n]$/.test(before));
    // A capital at the start of a sentence means nothing, unless the word is part of a list of names.
    const inRow = /^\s*(?:,|and|or|&|vs\.?)\s+\p{Lu}/u.test(after);
    return name.length > 1 ? [{ name, doubtful: opens && !inRow }] : [];
  });
  const sure = found.filter(({ doubtful }) => !doubtful);
  const names = [...new Set((sure.length > 0 ? sure : found).map(({ name }) => name))];
  return names.length > 0 ? names : lowerCasePlaces(text);
}

function lowerCasePlaces(text: string): string[] {
  const rows = [
    ...text.matchAll(/\b(?:in|for|at|near)\s+(\p{Ll}{3,}(?:(?:,\s*(?:and\s+)?|\s+and\s+)(?:in\s+)?\p{Ll}{3,})*)/gu),
  ];
  return rows
    .flatMap(([, row = ""]) => row.split(/,\s*(?:and\s+)?(?:in\s+)?|\s+and\s+(?:in\s+)?/))
    .filter((word) => !NO_PLACE.test(word))
    .map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`);
}
