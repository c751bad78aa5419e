import { type Signal, signal } from "@preact/signals";

/** A keyboard shortcut. */
export interface KeyBinding {
  /** Values of `KeyboardEvent.key`; the help shows the first two. */
  readonly keys: readonly string[];
  readonly does: string;
  /** Returns false if it does not apply now, so that the key keeps its usual meaning. */
  readonly run: () => boolean | void;
}

/** Bindings of one part of the page. */
export interface KeyGroup {
  readonly title: string;
  /** Depth of the part in the page: of two parts with the same key, the deeper one gets it. */
  readonly level: number;
  readonly bindings: readonly KeyBinding[];
}

const SCROLLING: ReadonlySet<string> = new Set(["ArrowDown", "ArrowUp", "Home", "End", " "]);

/** All current keyboard shortcuts. */
export class Keys {
  /** Deepest part first. */
  readonly groups: Signal<readonly { readonly current: KeyGroup }[]> = signal([]);

  constructor() {
    addEventListener("keydown", (event) => this.#press(event));
  }

  /** @returns A function that removes the group. */
  add(group: { readonly current: KeyGroup }): () => void {
    this.groups.value = [group, ...this.groups.value].toSorted((a, b) => b.current.level - a.current.level);
    return () => (this.groups.value = this.groups.value.filter((other) => other !== group));
  }

  #press(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    // An open dialog handles keys itself.
    if (document.querySelector("dialog[open]") !== null) return;
    const { target } = event;
    const isIn = (selector: string): boolean => target instanceof Element && target.closest(selector) !== null;
    const isTyping = isIn("input:not([type=checkbox]), textarea, select, [contenteditable]");
    if (isTyping && event.key !== "Escape") return;
    const isPressable = isIn("button, a, summary, input");
    if (isPressable && (event.key === "Enter" || event.key === " ")) return;
    // In the details, scrolling keys scroll.
    if (isIn(".details") && SCROLLING.has(event.key)) return;
    for (const { current } of this.groups.value)
      for (const { keys, run } of current.bindings)
        if (keys.includes(event.key) && run() !== false) {
          event.preventDefault();
          return;
        }
  }
}
