import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { geminiApi } from "@pollux/core";
import type { Endpoint, FetchLike } from "@pollux/core/wire";
import { createEmulator, type Emulator, type EmulatorOptions } from "../../../emulator/src/index.ts";
import { improvise } from "../../../emulator/src/improvise.ts";
import {
  type FileSearchDocument,
  type FileSearchStore,
  fileSearchStore,
  type FileSearchStoreOptions,
} from "../../src/file-search.ts";

/** Waits of a millisecond. */
export const SOON = { pollMs: 1 };

/** An emulator whose clock advances each time it is read. */
export function searchService(options: EmulatorOptions = {}): Emulator {
  let at = Date.parse("2026-11-24T12:00:00Z");
  return createEmulator({ brain: improvise(), now: () => new Date((at += 1)), ...options });
}

/** Options of clients that use an emulator without a socket. */
export function clientOf(emulator: Pick<Emulator, "fetch">): {
  readonly endpoint: Endpoint;
  readonly fetch: FetchLike;
} {
  return {
    endpoint: geminiApi({ apiKey: "emulator" }),
    fetch: async (input, init) => await emulator.fetch(input, init),
  };
}

/** The store `manuals`. */
export async function open(
  emulator: Pick<Emulator, "fetch">,
  options: FileSearchStoreOptions = {},
): Promise<FileSearchStore> {
  const retry = { minDelayMs: 1, maxDelayMs: 1 };
  return await fileSearchStore("manuals", { ...clientOf(emulator), retry, ...options });
}

/** All documents, by their titles. */
export async function documentsOf(store: FileSearchStore): Promise<readonly FileSearchDocument[]> {
  const all: FileSearchDocument[] = [];
  for await (const document of store.documents()) all.push(document);
  return all.toSorted((a, b) => (titleOf(a) < titleOf(b) ? -1 : 1));
}

const titleOf = ({ displayName = "" }: FileSearchDocument): string => displayName;

/** Titles of all documents, sorted. */
export async function titles(store: FileSearchStore): Promise<readonly string[]> {
  return (await documentsOf(store)).map(titleOf);
}

/** A folder with these files. */
export async function folderOf(files: Readonly<Record<string, string>>): Promise<TestFolder> {
  const path = await mkdtemp(join(tmpdir(), "file-search-"));
  const folder = new TestFolder(path);
  for (const [name, text] of Object.entries(files)) await folder.write(name, text);
  return folder;
}

export class TestFolder implements AsyncDisposable {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  async write(name: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.path, name)), { recursive: true });
    await writeFile(join(this.path, name), text);
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.path, name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true });
  }
}
