import { checkSite, checkSize, HttpError, readJson, type SiteRules } from "@pollux/core/serving";
import { expect, test } from "vitest";

/** What a check throws, as status and code; "passes" when it throws nothing. */
async function outcome(check: () => unknown): Promise<string> {
  try {
    await check();
    return "passes";
  } catch (error) {
    return error instanceof HttpError ? `${error.status} ${error.code}` : String(error);
  }
}

test.each<[string, Record<string, string>, SiteRules | undefined, string]>([
  ["no browser", {}, undefined, "passes"],
  ["a page of this server", { origin: "https://a.example" }, undefined, "passes"],
  ["a page of this server, by its site", { "sec-fetch-site": "same-origin" }, undefined, "passes"],
  ["a page of another site", { origin: "https://b.example" }, undefined, "403 cross_site"],
  ["a page without an origin", { origin: "null" }, undefined, "403 cross_site"],
  ["another site's form", { "sec-fetch-site": "cross-site" }, undefined, "403 cross_site"],
  ["an origin that may", { origin: "https://b.example" }, { origins: new Set(["https://b.example"]) }, "passes"],
  [
    "an origin beside one that may",
    { origin: "https://c.example" },
    { origins: new Set(["https://b.example"]) },
    "403 cross_site",
  ],
  ["a link", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }, undefined, "403 cross_site"],
  [
    "a link to a page",
    { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" },
    { canBeOpened: true },
    "passes",
  ],
])("a request of %s", async (_what, headers, rules, expected) => {
  const request = new Request("https://a.example/x", { headers });
  expect(await outcome(() => checkSite(request, rules))).toBe(expected);
});

test.each([
  ["a request of the usual size", "", "", "passes"],
  ["a long URL", "x".repeat(9000), "", "414 url_too_long"],
  ["long headers", "", "x".repeat(40_000), "431 headers_too_large"],
])("%s", async (_what, path, header, expected) => {
  const request = new Request(`https://a.example/${path}`, { headers: { "x-long": header } });
  expect(await outcome(() => checkSize(request))).toBe(expected);
});

const failing = new ReadableStream({ pull: (controller) => controller.error(new Error("gone")) });

test.each<[string, BodyInit | null, string, string]>([
  ["JSON", '{"a":1}', "application/json; charset=utf-8", "passes"],
  ["a text", '{"a":1}', "text/plain", "415 not_json"],
  ["broken JSON", '{"a":', "application/json", "400 bad_json"],
  ["nothing", null, "application/json", "400 bad_json"],
  ["bytes that are no text", new Uint8Array([34, 255, 34]), "application/json", "400 bad_json"],
  ["too much", `"${"x".repeat(100)}"`, "application/json", "413 body_too_large"],
  ["a body that breaks off", failing, "application/json", "400 bad_body"],
])("a body of %s", async (_what, body, type, expected) => {
  const init: RequestInit & { duplex: "half" } = {
    method: "POST",
    headers: { "content-type": type },
    body,
    duplex: "half",
  };
  const request = new Request("https://a.example", init);
  expect(await outcome(() => readJson(request, { maxBytes: 50 }))).toBe(expected);
});

test("a client that sends too much gets advice", async () => {
  const request = new Request("https://a.example", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "[1, 2]",
  });
  await expect(readJson(request, { maxBytes: 2, advice: "Send less." })).rejects.toThrow(
    "The body is larger than 2 bytes. Send less.",
  );
});
