// The same over node:http with keep-alive: shows what the platform's fetch costs.
import { Agent, request } from "node:http";
import { converse } from "./converse.mjs";

const agent = new Agent({ keepAlive: true });

export function run(job) {
  return converse(job, post);
}

function post(url, body) {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": body.length, "x-goog-api-key": "x" };
    request(url, { method: "POST", agent, headers }, (response) => {
      if (response.statusCode === 200) resolve(response);
      else reject(new Error(`HTTP ${response.statusCode}`));
    })
      .on("error", reject)
      .end(body);
  });
}
