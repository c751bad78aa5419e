import { type Fields, isFields } from "../internal/json.ts";
import { createRandom, type Random } from "../internal/random.ts";
import type { FileSearchOptions, StoredDocument } from "./file-search-options.ts";

/** A document with its searchable text. */
export interface SearchDocument extends StoredDocument {
  readonly customMetadata: readonly Fields[];
  readonly createdAt: Date;
  /** Its text by page. */
  readonly pages: readonly string[];
}

/** A store of documents. */
export interface SearchStore {
  readonly name: string;
  readonly owner: string;
  readonly displayName: string | undefined;
  readonly embeddingModel: string;
  readonly createdAt: Date;
  /** By name, in the order of their creation. */
  readonly documents: Map<string, SearchDocument>;
}

type DocumentState = "STATE_PENDING" | "STATE_ACTIVE" | "STATE_FAILED";
type NewDocument = Omit<SearchDocument, "name" | "createdAt">;

const MAX_STORAGE_BYTES = 1_000_000_000;

/** The file search stores of one emulator. */
export class SearchStores {
  readonly #stores = new Map<string, SearchStore>();
  readonly #polls = new Map<string, number>();
  readonly #options: FileSearchOptions;
  readonly #now: () => Date;
  readonly #random: Random;

  constructor(options: FileSearchOptions, now: () => Date, seed: string) {
    this.#options = options;
    this.#now = now;
    this.#random = createRandom(`${seed} file search`);
  }

  create(owner: string, displayName: string | undefined, embeddingModel = "models/gemini-embedding-001"): SearchStore {
    const words = (displayName ?? "").toLowerCase().replaceAll(/[^a-z0-9]/g, "");
    const id = [words.slice(0, 27), this.#random.id(12)].filter((piece) => piece !== "").join("-");
    const name = `fileSearchStores/${id}`;
    const store = { name, owner, displayName, embeddingModel, createdAt: this.#now(), documents: new Map() };
    this.#stores.set(name, store);
    return store;
  }

  find(name: string, owner: string): SearchStore | undefined {
    const store = this.#stores.get(name);
    return store?.owner === owner ? store : undefined;
  }

  list(owner: string): readonly SearchStore[] {
    return [...this.#stores.values()].filter((store) => store.owner === owner);
  }

  delete(store: SearchStore): void {
    this.#stores.delete(store.name);
  }

  add(store: SearchStore, document: NewDocument): SearchDocument {
    const name = `${store.name}/documents/${this.#random.id(12)}`;
    const added = { ...document, name, createdAt: this.#now() };
    store.documents.set(name, added);
    return added;
  }

  /** Whether the owner's stores have room for that many more bytes. */
  hasRoom(owner: string, bytes: number): boolean {
    const all = this.list(owner).flatMap(({ documents }) => [...documents.values()]);
    const held = all.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    return held + bytes <= this.maxStorageBytes;
  }

  get maxStorageBytes(): number {
    return this.#options.maxStorageBytes ?? MAX_STORAGE_BYTES;
  }

  /** The document's state. A poll counts toward `pendingPolls`. */
  state(document: SearchDocument, access: "poll" | "look" = "look"): DocumentState {
    const polled = this.#polls.get(document.name) ?? 0;
    if (polled < (this.#options.pendingPolls ?? 0)) {
      if (access === "poll") this.#polls.set(document.name, polled + 1);
      return "STATE_PENDING";
    }
    return this.#options.fails?.(document) === true ? "STATE_FAILED" : "STATE_ACTIVE";
  }

  storeJson({ name, displayName, embeddingModel, createdAt, documents }: SearchStore): object {
    const all = [...documents.values()];
    const countOf = (state: DocumentState): number => all.filter((document) => this.state(document) === state).length;
    const counts = {
      activeDocumentsCount: countOf("STATE_ACTIVE"),
      pendingDocumentsCount: countOf("STATE_PENDING"),
      failedDocumentsCount: countOf("STATE_FAILED"),
      sizeBytes: all.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    };
    const shown = Object.entries(counts).flatMap(([key, count]) => (count === 0 ? [] : [[key, String(count)]]));
    const at = createdAt.toISOString();
    const named = { name, ...(displayName !== undefined && { displayName }) };
    return { ...named, createTime: at, updateTime: at, embeddingModel, ...Object.fromEntries(shown) };
  }

  documentJson(document: SearchDocument, access: "poll" | "look" = "look"): object {
    const { name, displayName, customMetadata, mimeType, sizeBytes, createdAt } = document;
    const at = createdAt.toISOString();
    return {
      name,
      ...(displayName !== undefined && { displayName }),
      ...(customMetadata.length > 0 && { customMetadata }),
      mimeType,
      sizeBytes: String(sizeBytes),
      state: this.state(document, access),
      createTime: at,
      updateTime: at,
    };
  }

  /** The operation that created a document; both have the same id. */
  operationJson(store: SearchStore, document: SearchDocument, made: "upload" | "import"): object {
    const { operation = "response" } = this.#options;
    const id = document.name.split("/").at(-1) ?? "";
    const name = `${store.name}/${made === "upload" ? "upload/" : ""}operations/${id}`;
    if (operation === "name") return { name };
    const type = made === "upload" ? "UploadToFileSearchStoreResponse" : "ImportFileResponse";
    const response = {
      "@type": `type.googleapis.com/google.ai.generativelanguage.v1main.${type}`,
      parent: store.name,
      documentName: document.name,
      ...(made === "upload" && { mimeType: document.mimeType, sizeBytes: String(document.sizeBytes) }),
    };
    return { name, ...(operation === "done" && { done: true }), response };
  }
}

/** Text by page. Each uncompressed stream of a PDF is a page; anything else is one page. */
export function readPages(bytes: Uint8Array, mimeType: string): readonly string[] {
  if (mimeType !== "application/pdf") return [new TextDecoder().decode(bytes)];
  const source = Buffer.from(bytes).toString("latin1");
  return [...source.matchAll(/stream\r?\n([^]*?)endstream/g)].map(([, stream = ""]) =>
    [...stream.matchAll(/\(((?:[^()\\]|\\.)*)\)\s*(?:Tj|')/g)]
      .map(([, shown = ""]) => shown.replaceAll(/\\(.)/g, "$1"))
      .join(" "),
  );
}

/** The metadata of a body, checked against its descriptor. */
export function metadataIn(value: Fields): readonly Fields[] {
  const { customMetadata } = value;
  return Array.isArray(customMetadata) ? customMetadata.filter(isFields) : [];
}
