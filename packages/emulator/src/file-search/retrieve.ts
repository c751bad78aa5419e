import type { GenerateContentRequest, GroundingChunk } from "@pollux/core/wire";
import type { Fields } from "../internal/json.ts";
import type { SearchDocument, SearchStore } from "./search-stores.ts";

const TOP_K = 3;
const CHUNK_CHARACTERS = 1_000;

/** Finds the passages of documents that bear on a question. */
export type Retrieve = (request: GenerateContentRequest, question: string) => readonly GroundingChunk[];

/** The fields of the tool `fileSearch`. */
interface FileSearchQuery {
  readonly fileSearchStoreNames?: readonly string[];
  readonly metadataFilter?: string;
  readonly topK?: number;
}

/** Searches the stores that the tools of a request name. */
export function searchStores(
  { tools = [] }: GenerateContentRequest,
  question: string,
  find: (name: string) => SearchStore | undefined,
): readonly GroundingChunk[] {
  return tools.flatMap(({ fileSearch }) => {
    if (fileSearch === undefined) return [];
    // The fields have been checked against the descriptor.
    const query = fileSearch as FileSearchQuery;
    return retrieve(
      (query.fileSearchStoreNames ?? []).flatMap((name) => find(name) ?? []),
      question,
      query,
    );
  });
}

/** The pages that share words with a question, the best match first. */
function retrieve(
  stores: readonly SearchStore[],
  question: string,
  { metadataFilter, topK = TOP_K }: FileSearchQuery,
): readonly GroundingChunk[] {
  const wanted = wordsOf(question);
  const conditions = conditionsOf(metadataFilter ?? "");
  const found = stores.flatMap((store) =>
    [...store.documents.values()]
      .filter((document) => conditions.every((condition) => meets(document, condition)))
      .flatMap((document) =>
        document.pages.map((text, index) => {
          const words = wordsOf(text);
          return {
            store,
            document,
            text,
            page: index + 1,
            shared: [...wanted].filter((word) => words.has(word)).length,
          };
        }),
      ),
  );
  return found
    .filter(({ shared }) => shared > 0)
    .toSorted((a, b) => b.shared - a.shared)
    .slice(0, topK)
    .map(({ store, document, text, page }) => ({
      retrievedContext: {
        ...(document.displayName !== undefined && { title: document.displayName }),
        text: text.slice(0, CHUNK_CHARACTERS),
        fileSearchStore: store.name,
        ...(document.customMetadata.length > 0 && { customMetadata: document.customMetadata }),
        ...(document.mimeType === "application/pdf" && { pageNumber: page }),
      },
    }));
}

/** The words that a search compares, in lower case; it ignores words of fewer than four letters. */
export function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}]{4,}/gu) ?? []);
}

type Condition = readonly [key: string, value: string];

/** The conditions `key=value` of a filter; the emulator ignores everything else in it. */
function conditionsOf(filter: string): readonly Condition[] {
  return [...filter.matchAll(/(\w+)\s*=\s*(?:"([^"]*)"|([^\s"]+))/g)].map(([, key = "", quoted, bare = ""]) => [
    key,
    quoted ?? bare,
  ]);
}

function meets({ customMetadata }: SearchDocument, [key, value]: Condition): boolean {
  return customMetadata.some((entry: Fields) => {
    const { stringValue, numericValue, stringListValue } = entry as {
      stringValue?: string;
      numericValue?: number;
      stringListValue?: { values?: readonly string[] };
    };
    const values = [stringValue, numericValue, ...(stringListValue?.values ?? [])];
    return entry["key"] === key && values.some((one) => one !== undefined && String(one) === value);
  });
}
