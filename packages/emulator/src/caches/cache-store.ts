import { createRandom, type Random } from "../internal/random.ts";
import type { CachedPrompt } from "../validate/types.ts";

/** A cached content, as the emulator stores it. */
export interface StoredCache extends CachedPrompt {
  /** The creator's key or project; other callers cannot see it. */
  readonly owner: string;
  /** Full name, such as `cachedContents/abc`. */
  readonly name: string;
  readonly displayName: string | undefined;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly expiresAt: Date;
}

/** Stores one emulator's cached contents until they expire. */
export class CacheStore {
  // Oldest first, by the last segment of the name.
  readonly #caches = new Map<string, StoredCache>();
  readonly #now: () => Date;
  readonly #random: Random;

  constructor(now: () => Date, seed: string) {
    this.#now = now;
    this.#random = createRandom(`${seed} caches`);
  }

  /** An id for the next cached content: letters and digits, or only digits. */
  nextId(digits: boolean): string {
    if (!digits) return this.#random.id(40);
    return Array.from({ length: 19 }, () => this.#random.int(1, 9)).join("");
  }

  put(cache: StoredCache): void {
    this.#caches.set(idOf(cache.name), cache);
  }

  /** A cached content of this owner that has not expired, by its full name or its last segment. */
  find(name: string, owner: string): StoredCache | undefined {
    const cache = this.#caches.get(idOf(name));
    if (cache === undefined || cache.owner !== owner) return undefined;
    if (this.#now() < cache.expiresAt) return cache;
    this.delete(name);
    return undefined;
  }

  /** The owner's cached contents, newest first. */
  list(owner: string): readonly StoredCache[] {
    return [...this.#caches.keys()].flatMap((id) => this.find(id, owner) ?? []).toReversed();
  }

  delete(name: string): void {
    this.#caches.delete(idOf(name));
  }
}

function idOf(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}
