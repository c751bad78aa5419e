import { useEffect } from "preact/hooks";

/** Most marks at once. */
const MAX_MARKED = 2000;

/**
 * Marks all occurrences of words in an element, without changing the document.
 *
 * @param words - In lower case.
 * @param place - Identifies the element's content: when it changes, the first word below `scrolled` comes into view.
 */
export function useHighlight(
  box: { readonly current: HTMLElement | null },
  words: readonly string[],
  place: string,
  scrolled: string,
): void {
  const key = JSON.stringify(words);
  useEffect(() => {
    const element = box.current;
    // Older browsers show no marks.
    if (element === null || words.length === 0 || !("highlights" in CSS)) return undefined;
    let isSeen = false;
    let frame = 0;
    const mark = (): void => {
      const ranges = rangesOf(element, words);
      CSS.highlights.set("found", new Highlight(...ranges));
      const first = isSeen
        ? undefined
        : ranges.find(({ startContainer }) => startContainer.parentElement?.closest(scrolled));
      if (first === undefined) return;
      isSeen = true;
      first.startContainer.parentElement?.scrollIntoView({ block: "nearest" });
    };
    const observer = new MutationObserver(() => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(mark);
    });
    observer.observe(element, { childList: true, characterData: true, subtree: true });
    mark();
    return () => {
      observer.disconnect();
      cancelAnimationFrame(frame);
      CSS.highlights.delete("found");
    };
  }, [box.current, key, place]);
}

function rangesOf(element: HTMLElement, words: readonly string[]): readonly Range[] {
  const ranges: Range[] = [];
  const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node !== null && ranges.length < MAX_MARKED; node = texts.nextNode()) {
    const text = (node.nodeValue ?? "").toLowerCase();
    for (const word of words)
      for (
        let at = text.indexOf(word);
        at !== -1 && ranges.length < MAX_MARKED;
        at = text.indexOf(word, at + word.length)
      ) {
        const range = new Range();
        const end = Math.min(at + word.length, node.nodeValue?.length ?? 0);
        range.setStart(node, Math.min(at, end));
        range.setEnd(node, end);
        ranges.push(range);
      }
  }
  return ranges;
}
