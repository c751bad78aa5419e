import { chunksOf, isError } from "./plain-fold.ts";
import { type Exchange, isJson } from "./recordings.ts";

/** A refusal in Google's shape. */
export interface PlainRefusal {
  readonly status: number;
  readonly message: string;
}

/** What a refused exchange said; `undefined` where it is not in Google's shape (a web page, a gateway's own words). */
export function refusalIn(exchange: Exchange): PlainRefusal | undefined {
  const { status, responseBody } = exchange;
  try {
    const error = chunksOf(exchange).find(isError)?.["error"];
    if (!isJson(error) || typeof error["message"] !== "string" || typeof error["status"] !== "string") return undefined;
    return { status, message: error["message"] };
  } catch {
    // A recorder or an editor may have left a comma behind; the text is there all the same.
    const message = /"message":\s*("(?:[^"\\]|\\.)*")/.exec(responseBody)?.[1];
    return message === undefined ? undefined : { status, message: JSON.parse(message) as string };
  }
}
