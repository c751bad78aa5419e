// The handwritten loop over fetch, each content serialized once: the necessary cost of a long history.
import { converse } from "./converse.mjs";

export function run(job) {
  return converse(job, async (url, body) => {
    const headers = { "content-type": "application/json", "x-goog-api-key": "x" };
    const response = await fetch(url, { method: "POST", headers, body });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return response.body;
  });
}
