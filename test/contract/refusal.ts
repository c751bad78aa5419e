import { chunksOf, isError } from "./plain-fold.ts";
import { type Exchange, isJson } from "./recordings.ts";

/** A refusal in Google's shape. */
export interface PlainRefusal {
  readonly status: number;
  readonly message: string;
}

/** The refusal of an exchange; `undefined` if it is not in Google's shape (a web page, a gateway's own text). */
export function refusalIn(exchange: Exchange): PlainRefusal | undefined {
  const { status, responseBody } = exchange;
  try {
    const error = chunksOf(exchange).find(isError)?.["error"];
    if (!isJson(error) || typeof error["message"] !== "string" || typeof error["status"] !== "string") return undefined;
    return { status, message: error["message"] };
  } catch {
    // A recorder or an editor may have left a trailing comma; the text is still usable.
    const message = /"message":\s*("(?:[^"\\]|\\.)*")/.exec(responseBody)?.[1];
    return message === undefined ? undefined : { status, message: JSON.parse(message) as string };
  }
}
