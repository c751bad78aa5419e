import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { TakenFiles } from "../../../src/inspection/results.ts";
import { useInspector } from "../app/inspector.ts";
import { useSession } from "../session/session-model.ts";

const CHOICES: readonly { readonly what: string; readonly title: string; readonly hint: string }[] = [
  { what: "page", title: "HTML file", hint: "to share: no keys, opens anywhere" },
  { what: "page-without-people", title: "HTML file without people's words", hint: "messages and answers removed" },
  { what: "test", title: "Failing vitest test", hint: "of the last run, with its recording" },
  { what: "file", title: "Session file", hint: "the log, as .jsonl" },
];

/** The menu of exports. */
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
      <summary>Export</summary>
      <ul>
        {CHOICES.map(({ what, title, hint }) => (
          <li key={what}>
            <button type="button" class="quiet" onClick={() => choose(what)}>
              {title} <span class="dim">{hint}</span>
            </button>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** Saves an export, and shows what to do with it or why it failed. */
export function useSave(): (what: string, query?: { readonly [name: string]: string }) => Promise<void> {
  const inspector = useInspector();
  const { source, id } = useSession();
  return async (what, query) => {
    try {
      inspector.say(saveFiles(await source.view<TakenFiles>(id, `take-${what}`, query)));
    } catch (error) {
      inspector.say(error instanceof Error ? error.message : String(error), true);
    }
  };
}

/** Saves files through the browser. @returns A message about them. */
function saveFiles({ files, notes }: TakenFiles): string {
  for (const { name, text } of files) {
    // Makes the browser save the file and never render it.
    const address = URL.createObjectURL(new Blob([text], { type: "application/octet-stream" }));
    const link = document.createElement("a");
    link.href = address;
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  }
  return [`Saved ${files.map(({ name }) => name).join(" and ")}.`, ...notes].join(" ");
}
