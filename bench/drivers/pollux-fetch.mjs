// The same agent over the platform's `fetch`.
import { run as runAgent } from "./pollux.mjs";

export async function run(work) {
  return await runAgent({ ...work, httpClient: "fetch" });
}
