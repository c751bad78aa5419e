import { isObject, setMember } from "../../internal/json.ts";
import type { RunEvent } from "../events.ts";
import type { JsonPath, OutputChange } from "./json-growth.ts";

/** A value that is still being written, before defaults, transforms and validation: members may be missing, and any text may be cut off. */
export type DeepPartial<Value> = unknown extends Value
  ? unknown
  : Value extends string
    ? string
    : Value extends readonly unknown[]
      ? number extends Value["length"]
        ? readonly DeepPartial<Value[number]>[]
        : { readonly [Key in keyof Value]?: DeepPartial<Value[Key]> | undefined }
      : Value extends object
        ? { readonly [Key in keyof Value]?: DeepPartial<Value[Key]> | undefined }
        : Value;

/** Names of the properties that are lists. */
export type ListKey<Value> = unknown extends Value
  ? string
  : Value extends readonly unknown[]
    ? never
    : Value extends object
      ? {
          [Key in keyof Value & string]: NonNullable<Value[Key]> extends readonly unknown[] ? Key : never;
        }[keyof Value & string]
      : never;

/** The type of a list's elements. */
export type ElementOf<Value> = unknown extends Value
  ? unknown
  : NonNullable<Value> extends readonly (infer Element)[]
    ? Element
    : never;

/** A whole element of a list that is still being written. */
export interface OutputElement<Element> {
  readonly element: Element;
  /** From 0. When it starts over, the answer was discarded and the elements before are void. */
  readonly index: number;
}

/** Events of a run with a typed output: a `RunStream`, or any events, whose type is then unknown. */
export interface TypedEvents<Written> extends AsyncIterable<RunEvent> {
  readonly "~written"?: Written | undefined;
}

/**
 * Reads a run and yields the typed output so far each time it has grown, not validated; then take the `result()`. Yields `undefined` when
 * the answer is discarded and starts over. Each value is a snapshot, which shares the objects that were whole in the last one.
 */
export async function* partialOutputs<Written>(
  run: TypedEvents<Written>,
): AsyncGenerator<DeepPartial<Written> | undefined, void, void> {
  const output = PartialOutput.of(run);
  for await (const event of run) {
    const { discarded } = output;
    output.read(event);
    if (event.type === "output-delta" || output.discarded > discarded) yield output.value;
  }
}

/** Reads a run and yields each element of its typed output, a list, as soon as it is whole, not validated; then take the `result()`. */
export function outputElements<Written>(
  run: TypedEvents<Written>,
): AsyncGenerator<OutputElement<ElementOf<Written>>, void, void>;
/** The elements of a list in a property of the output. */
export function outputElements<Written, Key extends ListKey<Written>>(
  run: TypedEvents<Written>,
  key: Key,
): AsyncGenerator<OutputElement<Key extends keyof Written ? ElementOf<Written[Key]> : unknown>, void, void>;
export async function* outputElements(
  run: TypedEvents<unknown>,
  key?: string,
): AsyncGenerator<OutputElement<unknown>, void, void> {
  const output = new PartialOutput();
  let next = 0;
  for await (const event of run) {
    const { discarded } = output;
    output.read(event);
    if (output.discarded > discarded) next = 0;
    if (event.type !== "output-delta") continue;
    const { elements, whole } = output.list(key);
    for (; next < whole; next++) yield { element: elements[next], index: next };
  }
}

/** The typed output of a run so far, for code that reads the events itself. `Written` is what the model writes: the schema's input. */
export class PartialOutput<Written = unknown> {
  #root: unknown;
  #open: JsonPath | undefined;
  #discarded = 0;
  /** Objects and lists that nobody else has, so that they may be changed. */
  #owned = new Set<unknown>();

  /** An empty one with the type of a run's output; nothing is read. */
  static of<Written>(_run: TypedEvents<Written>): PartialOutput<Written> {
    return new PartialOutput();
  }

  /** Takes in the next event. */
  read(event: RunEvent): void {
    switch (event.type) {
      case "output-delta":
        for (const change of event.changes) this.#apply(change);
        this.#open = event.open;
        return;
      case "run-start":
      case "turn-start":
      case "discard":
      case "recover":
        this.#startOver();
        return;
      case "guardrail":
        // The answer so far is withdrawn; a message's event comes before the answer.
        if (event.side === "output") this.#startOver();
        return;
      default:
    }
  }

  /**
   * The value so far; `undefined` before its beginning, and again when the answer is discarded. A snapshot, which shares the objects that
   * were whole in the one before; its cost is the number of members of open objects and lists.
   */
  get value(): DeepPartial<Written> | undefined {
    this.#owned = new Set();
    // The service follows the schema, as far as it has written.
    return this.#root as DeepPartial<Written> | undefined;
  }

  /** Number of values discarded so far. */
  get discarded(): number {
    return this.#discarded;
  }

  /** @internal The list at the root or in a property, and how many of its elements are whole. */
  list(key: string | undefined): { readonly elements: readonly unknown[]; readonly whole: number } {
    const path: JsonPath = key === undefined ? [] : [key];
    const list = key === undefined ? this.#root : isObject(this.#root) ? this.#root[key] : undefined;
    if (!Array.isArray(list)) return { elements: [], whole: 0 };
    const isOpen = this.#open !== undefined && path.every((step, depth) => this.#open?.[depth] === step);
    const last = isOpen ? this.#open?.[path.length] : undefined;
    return { elements: list, whole: typeof last === "number" ? last : list.length };
  }

  #startOver(): void {
    if (this.#root === undefined) return;
    this.#root = undefined;
    this.#open = undefined;
    this.#owned.clear();
    this.#discarded++;
  }

  #apply(change: OutputChange): void {
    const { path } = change;
    const key = path.at(-1);
    if (key === undefined) {
      this.#root = "append" in change ? `${String(this.#root)}${change.append}` : change.value;
      return;
    }
    let parent = (this.#root = this.#own(this.#root));
    for (const step of path.slice(0, -1)) {
      const child = this.#own(Reflect.get(parent, step));
      setMember(parent, step, child);
      parent = child;
    }
    setMember(parent, key, "append" in change ? `${String(Reflect.get(parent, key))}${change.append}` : change.value);
  }

  /** The object or list itself, or a copy that may be changed. */
  #own(given: unknown): object {
    // Every path leads through objects and lists.
    if (this.#owned.has(given)) return given as object;
    const copy = Array.isArray(given) ? [...(given as unknown[])] : { ...(given as object) };
    this.#owned.add(copy);
    return copy;
  }
}
