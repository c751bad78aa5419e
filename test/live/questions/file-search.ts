import { DEV, type Question, question, refusalOf, taken } from "../question.ts";
import { type LiveAnswer, type LiveRequest, pick } from "../service.ts";

const FILE = { ...DEV, file: "file-search/answer-file-search.ts" };
const STORES = "v1beta/fileSearchStores";

const nameOf = ({ json }: LiveAnswer): string => String(pick(json, "name"));
const create = (body: object): LiveRequest => ({ path: STORES, body });

/** Unobserved behavior of file search stores. Stores no document, so it costs nothing. */
export const FILE_SEARCH_QUESTIONS: readonly Question[] = [
  taken(
    "file-search-unknown-store",
    "Is an unknown store refused?",
    ["K-4"],
    { path: `${STORES}/unknown-aaaaaaaaaaaa`, method: "GET" },
    FILE,
  ),
  taken(
    "file-search-page-size",
    "Is a page size over 20 taken?",
    ["K-6"],
    { path: `${STORES}?pageSize=21`, method: "GET" },
    FILE,
  ),
  question(
    "file-search-long-name",
    "May the name of a store have more than 512 characters?",
    ["K-8"],
    async (ask) => {
      const answer = await ask(create({ displayName: "x".repeat(513) }));
      if (answer.status < 300) await ask({ path: `v1beta/${nameOf(answer)}`, method: "DELETE" });
      return refusalOf(answer);
    },
    FILE,
  ),
];
