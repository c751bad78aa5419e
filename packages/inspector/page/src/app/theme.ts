import { type Signal, signal } from "@preact/signals";

/** `system` follows the operating system. */
export type ThemeName = "system" | "light" | "dark";

const NEXT: { readonly [name in ThemeName]: ThemeName } = { system: "light", light: "dark", dark: "system" };
const KEY = "pollux-inspector-theme";

/** Dark or light. */
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
      // The browser keeps nothing: it lasts as long as the page.
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
