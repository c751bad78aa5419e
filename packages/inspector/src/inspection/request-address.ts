const GOOGLE = "https://generativelanguage.googleapis.com";

/** Where a kept request went. A recording has only the path, and a damaged log may have anything: then it is Google's API. */
export function requestAddress(url: string): URL {
  return new URL(URL.canParse(url, GOOGLE) ? url : "/", GOOGLE);
}
