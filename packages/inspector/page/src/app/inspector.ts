import { effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { createContext } from "preact";
import { useContext, useLayoutEffect, useRef, useEffect, useState } from "preact/hooks";
import type { SourceAbout } from "../../../src/inspection/source.ts";
import type { HttpSource } from "../source/http-source.ts";
import { FileSource } from "../source/file-source.ts";
import { Keys, type KeyBinding, type KeyGroup } from "./keys.ts";
import { Loads, type Load } from "./loads.ts";
import { formatRoute, parseRoute, type Route, SESSIONS, shownIn } from "./route.ts";

/** State that all parts of the page share. */
export class Inspector {
  readonly keys: Keys = new Keys();
  readonly theme: Theme = new Theme();
  readonly route: Signal<Route>;
  readonly open: Signal<OpenSource>;
  readonly #served: HttpSource;
  /** A message for screen readers, which also shows for a moment. */
  readonly notice: Signal<{ readonly text: string; readonly isError: boolean } | undefined> = signal(undefined);
  #noticeTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(source: HttpSource) {
    this.#served = source;
    this.open = signal(openSource(source, false));
    this.route = signal(parseRoute(location.hash));
    addEventListener("hashchange", () => (this.route.value = parseRoute(location.hash)));
    effect(() => {
      document.title = titleOf(this.route.value, this.open.value.about.value);
    });
  }

  /** Shows another route. @param isReplaced - "Back" skips the current one. */
  go(route: Route, isReplaced: boolean = false): void {
    const hash = formatRoute(route);
    if (hash === location.hash) return;
    if (isReplaced) history.replaceState(null, "", hash);
    else history.pushState(null, "", hash);
    this.route.value = route;
  }

  /** Shows the sessions of files instead of the server's. */
  async openFiles(files: readonly File[]): Promise<void> {
    if (files.length === 0) return;
    try {
      const texts = await Promise.all(files.map(async (file) => ({ name: file.name, text: await file.text() })));
      const source = new FileSource(texts);
      const { sessions } = await source.sessions({});
      this.open.value = openSource(source, true);
      const [first, ...others] = sessions;
      this.go(first !== undefined && others.length === 0 ? { kind: "session", id: first.id, tab: "" } : SESSIONS);
    } catch (error) {
      this.say(error instanceof Error ? error.message : String(error), true);
    }
  }

  /** Turns Google's list prices on or off, for runs without prices. */
  showListPrices(isUsed: boolean): void {
    const { source, isFile } = this.open.value;
    this.open.value = openSource(source.withListPrices(isUsed), isFile);
  }

  /** Returns to the server's sessions. */
  closeFiles(): void {
    this.open.value = openSource(this.#served, false);
    this.go(SESSIONS);
  }

  /** Copies a text to the clipboard. */
  async copy(text: () => string | Promise<string>, done: string = "Copied"): Promise<void> {
    try {
      await navigator.clipboard.writeText(await text());
      this.say(done);
    } catch {
      this.say("The browser did not allow copying.", true);
    }
  }

  say(text: string, isError: boolean = false): void {
    clearTimeout(this.#noticeTimer);
    this.notice.value = { text, isError };
    this.#noticeTimer = setTimeout(() => (this.notice.value = undefined), isError ? 8000 : 2500);
  }
}

/** A source with the data loaded from it. */
export interface OpenSource {
  /** Unique per source: another source has other views, even for the same session id. */
  readonly key: string;
  readonly source: HttpSource;
  readonly isFile: boolean;
  readonly about: ReadonlySignal<SourceAbout | undefined>;
  readonly loads: Loads;
}

function openSource(source: HttpSource, isFile: boolean): OpenSource {
  const about = signal<SourceAbout | undefined>(undefined);
  // The list of sessions shows why the server doesn't answer.
  source.about().then(
    (value) => (about.value = value),
    () => {},
  );
  return { key: crypto.randomUUID(), source, isFile, about, loads: new Loads() };
}

function titleOf(route: Route, about: SourceAbout | undefined): string {
  const place = about?.title.split(/[\\/]/).at(-1);
  return [shownIn(route)?.id, place, "Pollux inspector"].filter(Boolean).join(" · ");
}

export const InspectorContext = createContext<Inspector | undefined>(undefined);

export function useInspector(): Inspector {
  const inspector = useContext(InspectorContext);
  if (inspector === undefined) throw new Error("useInspector must be called within App");
  return inspector;
}

/** Binds keys while a component is shown. @param level - See `KeyGroup`; at least 0. */
export function useKeys(title: string, level: number, bindings: readonly KeyBinding[]): void {
  const { keys } = useInspector();
  const group = useRef<KeyGroup>({ title, level, bindings });
  group.current = { title, level, bindings };
  useLayoutEffect(() => keys.add(group), [keys]);
}

/**
 * Loads the data of a component.
 *
 * @param parts - Key of the data, including its version.
 * @param slot - Key of the data in all versions: while a newer version loads, the older one stays.
 */
export function useLoad<T>(parts: readonly unknown[], load: () => Promise<T>, slot?: string): Load<T> {
  const { loads } = useInspector().open.value;
  const key = JSON.stringify(parts);
  const [shown, show] = useState<{ readonly slot: string | undefined; readonly key: string; readonly load: Load<T> }>();
  useEffect(() => {
    let isShown = true;
    const done = (is: Load<T>): void => void (isShown && show({ slot, key, load: is }));
    loads.fetch(key, load).then(
      (value) => done({ value }),
      (error: Error) => done({ error }),
    );
    return () => {
      isShown = false;
    };
  }, [loads, key]);
  if (shown?.key === key) return shown.load;
  const known = loads.peek<T>(key);
  if (known?.value !== undefined) return known;
  return shown !== undefined && shown.slot === slot && slot !== undefined ? shown.load : {};
}

/** `system` follows the operating system. */
type ThemeName = "system" | "light" | "dark";

const NEXT: { readonly [name in ThemeName]: ThemeName } = { system: "light", light: "dark", dark: "system" };
const KEY = "pollux-inspector-theme";

/** The color theme. */
export class Theme {
  readonly name: Signal<ThemeName> = signal(stored());

  constructor() {
    this.#apply();
  }

  next(): void {
    this.name.value = NEXT[this.name.value];
    this.#apply();
    try {
      localStorage.setItem(KEY, this.name.value);
    } catch {
      // Without storage, the theme lasts as long as the page.
    }
  }

  #apply(): void {
    const { dataset } = document.documentElement;
    if (this.name.value === "system") delete dataset["theme"];
    else dataset["theme"] = this.name.value;
  }
}

function stored(): ThemeName {
  try {
    const name = localStorage.getItem(KEY);
    return name === "light" || name === "dark" ? name : "system";
  } catch {
    return "system";
  }
}
