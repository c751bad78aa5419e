import type { GenerateContentResponse, Part } from "@pollux/core/wire";
import { z } from "zod";
import { send, uploadFile } from "./behaviors.ts";
import { type Ask, type Client, DIMENSIONS, type Service, type Tool } from "./client.ts";

/**
 * The requests of Google's SDK for Python, google-genai 2.25.0, sent with `fetch`: camelCase outside and snake_case inside of values
 * that its user builds from its types, bytes in the URL-safe alphabet, and function responses without ids. Compared with its real
 * requests on November 23, 2026.
 */
export const PYTHON_GENAI: readonly Client[] = [clientOf("v1beta"), clientOf("Vertex")];

/** With only a key, it writes `None` for project and location. */
const PROJECT = "projects/None/locations/None/";

/** The forecast's class as `pydantic` describes it. */
const FORECAST = {
  properties: {
    city: { title: "City", type: "STRING" },
    celsius: { title: "Celsius", type: "INTEGER" },
    sky: { enum: ["sun", "rain"], title: "Sky", type: "STRING" },
    hours: { items: { type: "INTEGER" }, title: "Hours", type: "ARRAY" },
  },
  property_ordering: ["city", "celsius", "sky", "hours"],
  required: ["city", "celsius", "sky", "hours"],
  title: "Forecast",
  type: "OBJECT",
};

function clientOf(surface: "v1beta" | "Vertex"): Client {
  const isVertex = surface === "Vertex";
  const version = isVertex ? "/v1beta1" : "/v1beta";
  const models = `${version}${isVertex ? "/publishers/google" : ""}/models`;
  const answer = async (at: Service, body: object): Promise<GenerateContentResponse> =>
    (await generate(at, `${models}/${at.model}`, body))[0];
  return {
    name: "google-genai for Python",
    version: "2.25.0",
    surface,
    async text(at, ask) {
      const said = await answer(at, bodyOf(ask));
      const { promptTokenCount, cachedContentTokenCount } = said.usageMetadata ?? {};
      return { text: textOf(said), inputTokens: promptTokenCount, cachedTokens: cachedContentTokenCount };
    },
    stream: async (at, ask) => (await stream(at, `${models}/${at.model}`, bodyOf(ask))).map(textOf),
    functions: (at, prompt, tools) =>
      callFunctions([userSaid(prompt)], tools, (body) => generate(at, `${models}/${at.model}`, body)),
    async output(at, prompt) {
      const generationConfig = { responseMimeType: "application/json", responseSchema: FORECAST };
      return JSON.parse(textOf(await answer(at, { contents: [userSaid(prompt)], generationConfig })));
    },
    async embeddings(at, texts) {
      const path = `${models}/gemini-embedding-001`;
      const parameters = { outputDimensionality: DIMENSIONS };
      if (isVertex) {
        const answers = texts.map((content) =>
          post<Predicted>(at, `${path}:predict`, { instances: [{ content }], parameters }),
        );
        return (await Promise.all(answers)).flatMap(({ predictions }) => predictions.map((it) => it.embeddings.values));
      }
      const requests = texts.map((text) => ({
        content: userSaid(text),
        ...parameters,
        model: "models/gemini-embedding-001",
      }));
      return (await post<Embedded>(at, `${path}:batchEmbedContents`, { requests })).embeddings.map(
        ({ values }) => values,
      );
    },
    async tokens(at, prompt) {
      const body = { contents: [userSaid(prompt)] };
      return (await post<{ readonly totalTokens: number }>(at, `${models}/${at.model}:countTokens`, body)).totalTokens;
    },
    files: isVertex ? { no: "refuses them on Vertex" } : { upload: uploadFile },
    caches: {
      async create(at, text) {
        const model = isVertex ? `${PROJECT}publishers/google/models/${at.model}` : `models/${at.model}`;
        const body = { model, contents: [userSaid(text)] };
        const { name } = await post<{ readonly name: string }>(at, `${version}/cachedContents`, body);
        return isVertex ? PROJECT + name : name;
      },
    },
  };
}

interface Predicted {
  readonly predictions: readonly { readonly embeddings: { readonly values: readonly number[] } }[];
}
interface Embedded {
  readonly embeddings: readonly { readonly values: readonly number[] }[];
}

/** The SDK's automatic function calling: it returns each answer of the service, then each function's result without an id. */
export async function callFunctions(
  contents: object[],
  tools: readonly Tool[],
  ask: (body: object) => Promise<readonly GenerateContentResponse[]>,
): Promise<string> {
  const functionDeclarations = tools.map(({ name, description, schema }) => {
    const { type, properties, required } = z.toJSONSchema(schema);
    const response_json_schema = { additionalProperties: true, type: "object" };
    return { description, name, parameters_json_schema: { type, properties, required }, response_json_schema };
  });
  for (;;) {
    const answers = await ask({ contents, tools: [{ functionDeclarations }], generationConfig: {} });
    const said = answers.flatMap(({ candidates }) => candidates?.[0]?.content ?? []);
    contents.push(...said.map(echoOf));
    const calls = said.flatMap(({ parts }) => parts?.flatMap(({ functionCall }) => functionCall ?? []) ?? []);
    if (calls.length === 0) return answers.map(textOf).join("");
    const parts = calls.map(({ name, args = {} }) => {
      return { functionResponse: { name, response: { result: tools.find((tool) => tool.name === name)?.run(args) } } };
    });
    contents.push({ parts, role: "user" });
  }
}

interface ModelContent {
  readonly parts?: readonly Part[] | undefined;
}

/** A model content as the SDK returns it: keys in the order of its types, bytes in the URL-safe alphabet. */
function echoOf({ parts }: ModelContent): object {
  const echoed = parts?.map(({ text, thought, functionCall, thoughtSignature }) => ({
    ...(text !== undefined && { text }),
    ...(thought !== undefined && { thought }),
    ...(functionCall && { functionCall: { id: functionCall.id, args: functionCall.args, name: functionCall.name } }),
    ...(thoughtSignature !== undefined && {
      thoughtSignature: thoughtSignature.replaceAll("+", "-").replaceAll("/", "_"),
    }),
  }));
  return { parts: echoed, role: "model" };
}

function bodyOf({ prompt, system, maxOutputTokens, file, cachedContent }: Ask): object {
  const fileData = file && { file_uri: file.uri, mime_type: file.mimeType };
  return {
    contents: [{ parts: [{ text: prompt }, ...(fileData ? [{ fileData }] : [])], role: "user" }],
    ...(system !== undefined && { systemInstruction: userSaid(system) }),
    ...(cachedContent !== undefined && { cachedContent }),
    ...((system ?? cachedContent) !== undefined && {
      generationConfig: { ...(maxOutputTokens !== undefined && { maxOutputTokens }) },
    }),
  };
}

export function userSaid(text: string): object {
  return { parts: [{ text }], role: "user" };
}

async function post<Answer>(at: Service, path: string, body: object): Promise<Answer> {
  // The caller knows the type of each address's answers.
  return (await (await sendJson(at, path, body)).json()) as Answer;
}

/** A whole answer, as the only one of its chunks. */
export async function generate(at: Service, path: string, body: object): Promise<readonly [GenerateContentResponse]> {
  return [await post(at, `${path}:generateContent`, body)];
}

/** The chunks of a streamed answer. */
export async function stream(at: Service, path: string, body: object): Promise<readonly GenerateContentResponse[]> {
  const text = await (await sendJson(at, `${path}:streamGenerateContent?alt=sse`, body)).text();
  const events = text.split("\r\n\r\n").filter((event) => event !== "");
  return events.map((event) => JSON.parse(event.slice("data: ".length)) as GenerateContentResponse);
}

async function sendJson(at: Service, path: string, body: object): Promise<Response> {
  const response = await send(at, "POST", path, JSON.stringify(body));
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return response;
}

function textOf({ candidates }: GenerateContentResponse): string {
  return (
    candidates?.[0]?.content?.parts?.map(({ text, thought }) => (thought === true ? "" : (text ?? ""))).join("") ?? ""
  );
}
