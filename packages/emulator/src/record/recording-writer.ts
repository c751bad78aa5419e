import { randomUUID } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { open, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ConfigurationError } from "@pollux/core/wire";

/** Name of a recording without a name. */
const UNNAMED = "recording";

/**
 * Writes one file repeatedly while it grows. Replaces the whole file each time, so that readers never see a partial one.
 */
export class RecordingWriter {
  readonly #folder: string;
  readonly #compose: () => unknown;
  #file: string | undefined;
  #writing: Promise<void> | undefined;
  #again = false;
  #failure: unknown;

  /** @throws {ConfigurationError} If the name is invalid for a file, or the folder is not writable. */
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
        `Recordings cannot be written to ${folder}: ${messageOf(error)}. Pass a folder that this process can write to.`,
        { cause: error },
      );
    }
  }

  /** Path of the file; for a recording without a name, undefined until it has been written. */
  get file(): string | undefined {
    return this.#file;
  }

  /** Schedules a write. Calls during a write cause one more. */
  write(): void {
    this.#again = true;
    this.#writing ??= this.#work();
  }

  /** Settles when all scheduled writes are done. @throws {ConfigurationError} If one failed. */
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

  /** Takes the first free name, even if several processes look for one at once. */
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
