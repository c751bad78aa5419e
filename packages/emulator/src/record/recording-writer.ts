import { randomUUID } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { open, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ConfigurationError } from "@pollux/core/wire";

/** Name of a case that was given none. */
const UNNAMED = "recording";

/**
 * Writes one file, again and again while it grows. Each time the whole file is put in the place of the one before, so that
 * whoever reads it never sees half of it.
 */
export class RecordingWriter {
  readonly #folder: string;
  readonly #compose: () => unknown;
  #file: string | undefined;
  #writing: Promise<void> | undefined;
  #again = false;
  #failure: unknown;

  /** @throws {ConfigurationError} When the name is none for a file, or nothing can be written in the folder. */
  constructor(folder: string, name: string | undefined, compose: () => unknown) {
    if (name !== undefined && !/^[\p{L}\p{N}_][\p{L}\p{N}_ .-]{0,199}$/u.test(name))
      throw new ConfigurationError(
        `name: ${JSON.stringify(name.slice(0, 100))} cannot be the name of a file; use letters, digits, spaces, ".", "_" and "-".`,
      );
    this.#folder = folder;
    this.#compose = compose;
    this.#file = name === undefined ? undefined : join(folder, `${name}.json`);
    const probe = this.#beside();
    try {
      mkdirSync(folder, { recursive: true });
      writeFileSync(probe, "");
      rmSync(probe);
    } catch (error) {
      throw new ConfigurationError(
        `Recordings cannot be written to ${folder}: ${messageOf(error)}. Give a folder that this process may write to.`,
        { cause: error },
      );
    }
  }

  /** Path of the file; undefined as long as a case without a name has not been written. */
  get file(): string | undefined {
    return this.#file;
  }

  /** Has the file written soon. Calls during a write come to one more. */
  write(): void {
    this.#again = true;
    this.#writing ??= this.#work();
  }

  /** Settles when everything that was asked for is written. @throws {ConfigurationError} When it could not be. */
  async written(): Promise<void> {
    await this.#writing;
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined)
      throw new ConfigurationError(
        `The recording ${this.#file ?? `in ${this.#folder}`} could not be written: ${messageOf(failure)}`,
        { cause: failure },
      );
  }

  async #work(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      try {
        await this.#replace(`${JSON.stringify(this.#compose(), null, 1)}\n`);
        this.#failure = undefined;
      } catch (error) {
        this.#failure = error;
      }
    }
    this.#writing = undefined;
  }

  async #replace(text: string): Promise<void> {
    const fresh = this.#beside();
    try {
      await writeFile(fresh, text, { flush: true });
      this.#file ??= await this.#freeName();
      await rename(fresh, this.#file);
    } catch (error) {
      await rm(fresh, { force: true });
      throw error;
    }
  }

  /** Takes the first name that nobody has, also where several processes look for one. */
  async #freeName(): Promise<string> {
    for (let number = 1; ; number += 1) {
      const file = join(this.#folder, `${UNNAMED}${number === 1 ? "" : `-${number}`}.json`);
      try {
        await (await open(file, "wx")).close();
        return file;
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
      }
    }
  }

  #beside(): string {
    return join(this.#folder, `.${randomUUID()}.tmp`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
