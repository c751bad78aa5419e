import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { CompareView } from "../compare/compare-view.tsx";
import type { SourceAbout } from "../../../src/inspection/source.ts";
import { EvalsView } from "../evals/evals-view.tsx";
import { PlayView } from "../play/play-view.tsx";
import { SessionView } from "../session/session-view.tsx";
import { SessionsView } from "../sessions/sessions-view.tsx";
import { TotalsView } from "../totals/totals-view.tsx";
import { type Inspector, InspectorContext, useInspector, useKeys } from "./inspector.ts";
import { formatRoute, type Route, SESSIONS, shownIn } from "./route.ts";
import { Button } from "../acting/parts.tsx";

/** The whole page. */
export function App({ inspector }: { readonly inspector: Inspector }): JSX.Element {
  return (
    <InspectorContext.Provider value={inspector}>
      <Shell />
    </InspectorContext.Provider>
  );
}

function Shell(): JSX.Element {
  const inspector = useInspector();
  const isHelpOpen = useSignal(false);
  const files = useRef<HTMLInputElement>(null);
  useKeys("Everywhere", 0, [
    { keys: ["?"], does: "Show keyboard shortcuts", run: () => void (isHelpOpen.value = true) },
    { keys: ["T"], does: "Switch between dark and light", run: () => inspector.theme.next() },
    { keys: ["o"], does: "Open a file", run: () => files.current?.click() },
  ]);
  return (
    <DropZone>
      <Header onHelp={() => (isHelpOpen.value = true)} onOpen={() => files.current?.click()} />
      <input
        ref={files}
        type="file"
        multiple
        hidden
        accept=".jsonl,.json"
        aria-label="Files to open"
        onChange={({ currentTarget }) => {
          void inspector.openFiles([...(currentTarget.files ?? [])]);
          currentTarget.value = "";
        }}
      />
      <main id="main" class="fill">
        <View route={inspector.route.value} source={inspector.open.value.key} />
      </main>
      <Notice />
      {isHelpOpen.value && <HelpDialog onClose={() => (isHelpOpen.value = false)} />}
    </DropZone>
  );
}

function View({ route, source }: { readonly route: Route; readonly source: string }): JSX.Element {
  switch (route.kind) {
    case "sessions":
      return <SessionsView key={source} route={route} />;
    case "play":
      return <PlayView key={source} route={route} />;
    case "totals":
      return <TotalsView key={source} route={route} />;
    case "evals":
      return <EvalsView key={source} route={route} />;
    case "compare":
      return <CompareView key={`${source} ${formatRoute(route)}`} route={route} />;
    case "session":
      return <SessionView key={`${source} ${route.id}`} route={route} />;
  }
}

/** A page in the header. */
interface HeaderPage {
  readonly title: string;
  readonly route: Route;
  /** Kinds of routes that are part of it. */
  readonly kinds: readonly Route["kind"][];
  /** @defaultValue always */
  readonly isOffered?: ((about: SourceAbout) => boolean) | undefined;
}

const PAGES: readonly HeaderPage[] = [
  { title: "Sessions", route: SESSIONS, kinds: ["sessions", "session"] },
  { title: "Totals", route: { kind: "totals", span: "7d" }, kinds: ["totals"] },
  {
    title: "Play",
    route: { kind: "play", agent: "", session: "" },
    kinds: ["play"],
    isOffered: ({ actions, agents }) => actions.includes("play") && agents.length > 0,
  },
  {
    title: "Evals",
    route: { kind: "evals", path: [] },
    kinds: ["evals"],
    isOffered: ({ hasEvals }) => hasEvals,
  },
];

function Header({ onHelp, onOpen }: { readonly onHelp: () => void; readonly onOpen: () => void }): JSX.Element {
  const inspector = useInspector();
  const route = inspector.route.value;
  const { about, isFile } = inspector.open.value;
  const theme = inspector.theme.name.value;
  const title = about.value?.title;
  const shown = shownIn(route);
  return (
    <header class="top row">
      <a class="skip" href="#main" onClick={skipTo}>
        Skip to content
      </a>
      <nav aria-label="Pages" class="pages row">
        <a href={formatRoute(SESSIONS)} class="brand">
          Pollux inspector
        </a>
        {PAGES.filter(({ isOffered }) => about.value !== undefined && isOffered?.(about.value) !== false).map(
          (page) => (
            <a
              key={page.title}
              href={formatRoute(page.route)}
              aria-current={page.kinds.includes(route.kind) ? "page" : undefined}
            >
              {page.title}
            </a>
          ),
        )}
      </nav>
      <nav aria-label="Breadcrumb" class="where row">
        {title !== undefined && (
          <span class="place cut dim" title={title}>
            {isFile ? "File: " : ""}
            {shortPath(title)}
          </span>
        )}
        {shown !== undefined && (
          <>
            <span class="slash dim" aria-hidden="true">
              /
            </span>
            <a href={formatRoute(shown.top)} class="crumb cut" title={shown.id}>
              {shown.id}
            </a>
          </>
        )}
      </nav>
      <div class="row">
        {isFile && <Button say="Close file" onClick={() => inspector.closeFiles()} />}
        <Button
          say="Open file…"
          onClick={onOpen}
          title="Open session files or recordings (o), or drop them onto the page"
        />
        <Button
          say={`Theme: ${theme}`}
          onClick={() => inspector.theme.next()}
          title="Switch between dark and light (T)"
        />
        <Button say="?" onClick={onHelp} aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)" />
      </div>
    </header>
  );
}

/** Moves the focus itself, since following the link would change the route. */
function skipTo(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLElement>("#main [tabindex='0'], #main input, #main button")?.focus();
}

function shortPath(path: string): string {
  return path.split(/[\\/]/).slice(-2).join("/");
}

function DropZone({ children }: { readonly children: JSX.Element | (JSX.Element | false)[] }): JSX.Element {
  const inspector = useInspector();
  const isOver = useSignal(false);
  useEffect(() => {
    const over = (event: DragEvent): void => {
      if (event.dataTransfer?.types.includes("Files") !== true) return;
      event.preventDefault();
      isOver.value = true;
    };
    const leave = (event: DragEvent): void => {
      if (event.relatedTarget === null) isOver.value = false;
    };
    const drop = (event: DragEvent): void => {
      isOver.value = false;
      const dropped = [...(event.dataTransfer?.files ?? [])];
      if (dropped.length === 0) return;
      event.preventDefault();
      void inspector.openFiles(dropped);
    };
    const ended = new AbortController();
    addEventListener("dragover", over, ended);
    addEventListener("dragleave", leave, ended);
    addEventListener("drop", drop, ended);
    return () => ended.abort();
  }, []);
  return (
    <div class="page">
      {children}
      {isOver.value && (
        <div class="drop" aria-hidden="true">
          Drop session files, kept exchanges or recordings
        </div>
      )}
    </div>
  );
}

function Notice(): JSX.Element {
  const notice = useInspector().notice.value;
  return (
    <div class="notice" role="status" aria-live="polite">
      {notice !== undefined && <span class={`banner${notice.isError ? " is-error" : ""}`}>{notice.text}</span>}
    </div>
  );
}

/** All current keyboard shortcuts. */
export function HelpDialog({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const { keys } = useInspector();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const groups = keys.groups.value.map(({ current }) => current).filter(({ bindings }) => bindings.length > 0);
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={onClose}>
      <div class="row">
        <h2 id="help-title">Keyboard shortcuts</h2>
        <Button say="Close" class="to-end" onClick={() => dialog.current?.close()} />
      </div>
      <div class="help-groups">
        {groups.map(({ title, bindings }) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {bindings.map((binding) => (
                <div key={binding.does} class="row">
                  <dt class="row is-tight">
                    {binding.keys.slice(0, 2).map((key) => (
                      <kbd key={key} class="tag">
                        {NAMES[key] ?? key}
                      </kbd>
                    ))}
                  </dt>
                  <dd>{binding.does}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </dialog>
  );
}

const NAMES: { readonly [key: string]: string | undefined } = {
  ArrowDown: "↓",
  ArrowUp: "↑",
  ArrowLeft: "←",
  ArrowRight: "→",
  Escape: "Esc",
  " ": "Space",
};
