// `node worker.mjs DRIVER RESULTS`: plays each scenario to one library with its default settings, and writes down the application's view.
import { writeFileSync } from "node:fs";

const [, , driver, results] = process.argv;
const FINAL = "It rains in Oslo.";
let scenario;
let requests = [];

globalThis.fetch = async (input, init) => {
  const request = new Request(input, init);
  const { pathname } = new URL(request.url);
  const body = await request.json();
  requests.push({ path: pathname, body, atMs: performance.now() });
  const { status = 200, ...answer } = hasOpenCall(body) ? OPEN_CALL : scenario(requests.length, body);
  const isStream = pathname.includes(":stream") && status === 200;
  return new Response(isStream ? `data: ${JSON.stringify(answer)}\r\n\r\n` : JSON.stringify(answer), {
    status,
    headers: { "content-type": isStream ? "text/event-stream" : "application/json" },
  });
};

const usageMetadata = { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 };
const answer = (parts, finishReason = "STOP") => ({
  candidates: [{ content: { role: "model", ...(parts && { parts }) }, finishReason, index: 0 }],
  usageMetadata,
});
const call = (name, city, args = { city }) =>
  answer([{ functionCall: { id: city, name, args }, thoughtSignature: Buffer.from(city).toString("base64") }]);
const final = answer([{ text: FINAL }]);
const refusal = (code, status, message, details = []) => ({ status: code, error: { code, message, status, details } });
const RETRY_INFO = { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "0.2s" };
const unavailable = refusal(503, "UNAVAILABLE", "The model is overloaded.", [RETRY_INFO]);
const OPEN_CALL = refusal(400, "INVALID_ARGUMENT", "A function call has no function response.");

const scenarios = {
  throws: (n) => (n === 1 ? call("get_weather", "Oslo") : final),
  unknown: (n) => (n === 1 ? call("get_wether", "Oslo") : final),
  unavailableOnce: (n) => (n === 1 ? unavailable : final),
  unavailable: () => unavailable,
  empty: () => answer(),
  blocked: () => ({ promptFeedback: { blockReason: "PROHIBITED_CONTENT" }, usageMetadata }),
  truncated: () => answer([{ text: "It ra" }], "MAX_TOKENS"),
  endless: (n) => call("get_weather", `City ${n}`),
  search: (n, { tools = [] }) => {
    const names = tools.flatMap(({ functionDeclarations = [] }) => functionDeclarations.map(({ name }) => name));
    const search = names.find((name) => name !== "get_weather");
    return n === 1 && search !== undefined ? call(search, "Oslo", { query: "Oslo", request: "Oslo" }) : final;
  },
};
/** Only played if a driver requests it. */
const more = { repeated: () => call("get_weather", "Oslo") };

/** `variants` are scenarios to repeat with a different program. */
const { run, variants = {}, skips = [] } = await import(driver);
const seen = {};
const played = Object.keys(scenarios).filter((name) => !skips.includes(name));
for (const [name, as] of [...played.map((each) => [each, each]), ...Object.entries(variants)]) {
  scenario = { ...scenarios, ...more }[as];
  requests = [];
  seen[name] = { ...(await outcomeOf(name)), requests };
}
writeFileSync(results, JSON.stringify(seen));
process.exit();

async function outcomeOf(name) {
  const getWeather = async ({ city }) => {
    if (name === "throws") throw new Error("The weather station is on fire.");
    return { city, celsius: 4 };
  };
  try {
    return { result: await run({ getWeather, name }) };
  } catch (error) {
    const { message, status } = error;
    return { error: { name: error.name === "Error" ? error.constructor.name : error.name, message, status } };
  }
}

function hasOpenCall({ contents }) {
  return contents.some(({ parts = [] }, index) =>
    parts.some(
      ({ functionCall }) =>
        functionCall !== undefined &&
        contents[index + 1]?.parts?.some(({ functionResponse }) => functionResponse?.name === functionCall.name) !==
          true,
    ),
  );
}
