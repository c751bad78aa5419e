import { rawWords } from "./words.ts";

/** Common words of German, French, Spanish, Italian and Portuguese that English doesn't have. */
const FOREIGN = new Set(
  [
    "hallo moin danke bitte wie wer wann warum welche welcher welches wieviel ist sind gibt und oder nicht kein keine ich wir mir mich dir dich kannst können könnte haben der ein eine einen zeig zeige öffne suche schreib schreibe rechne erzähl erzähle datei dateien ordner uhr wetter heute",
    "bonjour bonsoir salut merci quoi qui où quand pourquoi quel quelle quels quelles combien sont les une dans avec je nous vous cette ces peux peut pouvez montre ouvre cherche écris fichier fichiers météo demain heure",
    "hola gracias qué quién dónde cuándo cuánto cuántos cuántas cuál cómo está están las una del esta puedes puede muestra lee abre busca escribe archivo archivos carpeta tiempo hoy mañana hora",
    "buongiorno grazie cosa quando perché quanto quale sono il nella puoi mostra leggi apri cerca scrivi cartella oggi domani olá obrigado onde qual são você pode mostre leia abra escreva arquivo arquivos hoje amanhã",
  ].flatMap((words) => words.split(" ")),
);
/** Common English words that those languages don't have. */
const ENGLISH = new Set(
  "the is are what which who how where when why of and to for with from this that these it you your my me please can could list read show find search get give tell write open make how's what's there files file folder weather translate".split(
    " ",
  ),
);
const MAX_READ = 2_000;

/** Whether a prompt is in a language other than English, as far as common words and scripts tell. */
export function isForeign(prompt: string): boolean {
  const text = prompt.slice(0, MAX_READ).replaceAll(/"[^"\n]*"|“[^”\n]*”|`[^`\n]*`|\S*[./@]\S+/g, " ");
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  const latin = text.match(/\p{Script=Latin}/gu)?.length ?? 0;
  if (letters > 0 && latin * 2 < letters) return true;
  const words = rawWords(text).flatMap((word) => [word, ...word.split(/['’]/).slice(1)]);
  const foreign = words.filter((word) => FOREIGN.has(word)).length;
  return foreign > words.filter((word) => ENGLISH.has(word)).length;
}
