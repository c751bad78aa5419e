import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useSave } from "./save-files.ts";

const CHOICES: readonly { readonly what: string; readonly title: string; readonly hint: string }[] = [
  { what: "page", title: "One HTML file", hint: "to share: no keys, opens anywhere" },
  { what: "page-without-people", title: "HTML without what people said", hint: "messages and answers taken out" },
  { what: "test", title: "A failing vitest test", hint: "of the last run, with its recording" },
  { what: "file", title: "The session file", hint: "the log, as .jsonl" },
];

/** What can be saved of a session. */
export function TakeAwayMenu(): JSX.Element {
  const save = useSave();
  const menu = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const close = (event: Event): void => {
      if (menu.current !== null && !menu.current.contains(event.target as Node)) menu.current.open = false;
    };
    addEventListener("click", close);
    return () => removeEventListener("click", close);
  }, []);
  const choose = (what: string): void => {
    if (menu.current !== null) menu.current.open = false;
    void save(what);
  };
  return (
    <details
      ref={menu}
      class="menu"
      onKeyDown={(event) => {
        if (event.key !== "Escape" || menu.current?.open !== true) return;
        event.stopPropagation();
        menu.current.open = false;
        menu.current.querySelector("summary")?.focus();
      }}
    >
      <summary>Take away</summary>
      <ul>
        {CHOICES.map(({ what, title, hint }) => (
          <li key={what}>
            <button type="button" onClick={() => choose(what)}>
              {title} <span class="dim">{hint}</span>
            </button>
          </li>
        ))}
      </ul>
    </details>
  );
}
