import { type Signal, signal } from "@preact/signals";

/** A key, and what it does. */
export interface KeyBinding {
  /** As `KeyboardEvent.key` has it; the first one is shown. */
  readonly keys: readonly string[];
  readonly does: string;
  /** Returns false when it does not apply now, so that the key keeps its usual meaning. */
  readonly run: () => boolean | void;
}

/** Bindings of one part of the page. */
export interface KeyGroup {
  readonly title: string;
  /** How deep in the page the part is: where two have the same key, the deeper one gets it. */
  readonly level: number;
  readonly bindings: readonly KeyBinding[];
}

const SCROLLING: ReadonlySet<string> = new Set(["ArrowDown", "ArrowUp", "Home", "End", " "]);

/** All keys that do something now. */
export class Keys {
  /** The deepest part comes first. */
  readonly groups: Signal<readonly { readonly current: KeyGroup }[]> = signal([]);

  constructor() {
    addEventListener("keydown", (event) => this.#press(event));
  }

  /** @returns Removes them. */
  add(group: { readonly current: KeyGroup }): () => void {
    this.groups.value = [group, ...this.groups.value].toSorted((a, b) => b.current.level - a.current.level);
    return () => (this.groups.value = this.groups.value.filter((other) => other !== group));
  }

  #press(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    // A dialog has the keys of its own.
    if (document.querySelector("dialog[open]") !== null) return;
    const { target } = event;
    const isTyping = target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null;
    if (isTyping && event.key !== "Escape") return;
    const isPressable = target instanceof Element && target.closest("button, a, summary") !== null;
    if (isPressable && (event.key === "Enter" || event.key === " ")) return;
    // Where a person reads, the keys that scroll do.
    const isReading = target instanceof Element && target.closest(".details") !== null;
    if (isReading && SCROLLING.has(event.key)) return;
    for (const { current } of this.groups.value)
      for (const { keys, run } of current.bindings)
        if (keys.includes(event.key) && run() !== false) {
          event.preventDefault();
          return;
        }
  }
}
