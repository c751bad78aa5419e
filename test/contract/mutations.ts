import {
  answered,
  asArray,
  asEvents,
  frame,
  mapCandidates,
  mapChunks,
  mapParts,
  type Mutable,
  type Mutation,
} from "./mutate.ts";
import { cutText, drifted, joinPairs, withMore } from "./mutate-chunks.ts";
import { isJson, type Json, listOf } from "./recordings.ts";

const ALL = ["parse", "values", "fold", "echo", "history", "declarations", "loop", "citations", "emulator"];

/** Changes that other clients, models, recorders and networks would have made to the same traffic. */
export const MUTATIONS: readonly Mutation[] = [
  {
    name: "models of the same generation with names nobody knows",
    sameCounts: ALL,
    mutate: (recording) => rename(recording, (model) => `${model.replace(/-latest$/, "")}-preview-12-2099`),
  },
  {
    name: "models of a new family",
    // Nobody knows what such a model accepts.
    except: ["emulator", "history"],
    sameCounts: ["parse", "values", "fold", "echo", "declarations"],
    mutate: (recording) => rename(recording, () => "quasar-1-mini"),
  },
  {
    name: "without the fields that follow from others",
    sameCounts: ALL,
    mutate(recording) {
      for (const key of ["features", "toolLoops", "otherCalls", "truncatedBlobs", "scrubbed", "kind", "source"])
        delete recording[key];
      for (const exchange of recording.exchanges)
        for (const key of ["features", "framing", "digest", "modelVersion", "responseHeaders", "method"])
          delete exchange[key];
    },
  },
  {
    name: "without a kind, but with its address",
    sameCounts: ["declarations", "emulator"],
    mutate(recording) {
      for (const exchange of recording.exchanges) {
        delete exchange["kind"];
        delete exchange["model"];
        delete exchange["continues"];
      }
    },
  },
  {
    name: "words nobody has heard of, and other calls",
    sameCounts: ALL,
    mutate(recording) {
      recording["fidelity"] = [...listOf(recording["fidelity"]), "blessed-by-the-moon"];
      recording["provenance"] = "dreamt";
      recording["otherCalls"] = [{ path: 7 }, "GET nowhere 200", null];
      for (const exchange of recording.exchanges) {
        exchange["framing"] = "carrier-pigeon";
        exchange["features"] = ["telepathy"];
        exchange["extra"] = { nested: [1] };
      }
    },
  },
  {
    name: "addresses of a gateway, bodies kept as text or as objects",
    sameCounts: ALL,
    mutate(recording) {
      for (const exchange of recording.exchanges) {
        if (typeof exchange["path"] === "string")
          exchange["path"] = `https://gateway.invalid/gemini${exchange["path"]}`;
        if (isJson(exchange["request"])) exchange["request"] = JSON.stringify(exchange["request"]);
        exchange["status"] = String(exchange["status"]);
        const body = exchange["framing"] === "json" ? parsed(exchange.responseBody) : undefined;
        if (body !== undefined) exchange["responseBody"] = body as string;
      }
    },
  },
  ...framings(),
  {
    name: "text deltas cut in two",
    sameCounts: ["parse", "values", "fold", "echo", "loop", "citations"],
    mutate: (recording) => mapStreams(recording, (chunks) => chunks.flatMap(cutText)),
  },
  {
    name: "chunks joined",
    sameCounts: ["parse", "values", "fold", "echo", "loop", "citations"],
    mutate: (recording) => mapStreams(recording, joinPairs),
  },
  {
    name: "fields nobody knows, everywhere",
    sameCounts: ["parse", "values", "fold", "echo", "citations"],
    mutate(recording) {
      let score = 0;
      mapChunks(recording, (chunks) =>
        mapCandidates(
          mapParts(chunks, (parts) => parts.map((part) => ({ ...part, futureField: { list: [1, "zwei", null] } }))),
          (candidate) => ({ ...candidate, novelty: [{ score: 0.5 }, { score: (score += 1) }] }),
        ).map((chunk) => ({ ...chunk, weather: "fair", usageMetadata: withMore(chunk["usageMetadata"]) })),
      );
      for (const { digest } of recording.exchanges)
        if (isJson(digest)) Object.assign(digest, { usage: withMore(digest["usage"]) });
    },
  },
  {
    name: "parts of kinds nobody knows",
    sameCounts: ["parse", "values", "fold"],
    mutate(recording) {
      mapChunks(recording, (chunks) =>
        mapParts(chunks, (parts) =>
          // A part in the middle of a streamed call would come before the call it interrupts.
          JSON.stringify(chunks).includes("willContinue")
            ? parts
            : [...parts, { hologram: { frames: [1, 2] }, thoughtSignature: "c2lnbmF0dXJl" }],
        ),
      );
      for (const { digest } of recording.exchanges)
        if (isJson(digest)) Object.assign(digest, { signatures: undefined });
    },
  },
  {
    name: "members nobody knows of enums beside the answer",
    sameCounts: ALL,
    mutate(recording) {
      const ratings = [{ category: "HARM_CATEGORY_BOREDOM", probability: "ALMOST_CERTAIN" }];
      mapChunks(recording, (chunks) =>
        mapCandidates(chunks, (candidate) => ({ ...candidate, safetyRatings: ratings })),
      );
    },
  },
  {
    name: "a finish reason nobody knows",
    except: ["emulator"],
    sameCounts: ["parse", "fold"],
    mutate(recording) {
      mapChunks(recording, (chunks) =>
        mapCandidates(chunks, (candidate) =>
          candidate["finishReason"] === undefined ? candidate : { ...candidate, finishReason: "SUNSET" },
        ),
      );
    },
  },
  {
    name: "numbers for enums",
    sameCounts: ["parse", "values", "fold", "echo", "loop", "citations"],
    mutate(recording) {
      const words = ["FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER"];
      mapChunks(recording, (chunks) =>
        mapCandidates(chunks, (candidate) => {
          const number = words.indexOf(String(candidate["finishReason"]));
          return number === -1 ? candidate : { ...candidate, finishReason: number };
        }),
      );
    },
  },
  {
    name: "nulls where nothing is, and the index as null or text",
    sameCounts: ALL,
    mutate(recording) {
      let turn = 0;
      mapChunks(recording, (chunks) =>
        mapCandidates(
          mapParts(chunks, (parts) =>
            parts.map((part) => ({ text: null, functionCall: null, inlineData: null, ...part })),
          ),
          (candidate) => ({ ...candidate, ...(turn++ % 2 === 0 ? { index: null } : { index: "0" }) }),
        ),
      );
    },
  },
  {
    name: "counters as text",
    sameCounts: ALL,
    mutate(recording) {
      mapChunks(recording, (chunks) =>
        chunks.map((chunk) => {
          const usage = chunk["usageMetadata"];
          if (!isJson(usage)) return chunk;
          const entries = Object.entries(usage).map(([name, value]) => [
            name,
            name.endsWith("TokenCount") ? String(value) : value,
          ]);
          return { ...chunk, usageMetadata: Object.fromEntries(entries) as Json };
        }),
      );
    },
  },
  {
    name: "grounding offsets that have drifted",
    sameCounts: ["parse", "values", "fold", "citations"],
    mutate(recording) {
      mapChunks(recording, (chunks) =>
        mapCandidates(chunks, (candidate) => {
          const metadata = candidate["groundingMetadata"];
          if (!isJson(metadata) || !Array.isArray(metadata["groundingSupports"])) return candidate;
          const supports = (metadata["groundingSupports"] as readonly Json[]).map(drifted);
          return { ...candidate, groundingMetadata: { ...metadata, groundingSupports: supports } };
        }),
      );
    },
  },
  {
    name: "bodies cut off in the middle",
    except: ["loop"],
    sameCounts: ["parse", "declarations", "emulator"],
    mutate(recording) {
      for (const exchange of answered(recording)) {
        exchange.responseBody = exchange.responseBody.slice(0, Math.floor(exchange.responseBody.length / 2));
        delete exchange["digest"];
      }
    },
  },
  {
    name: "errors in the middle of streams, as an event and bare, and what proxies send after them",
    except: ["loop"],
    sameCounts: ["parse", "history", "declarations"],
    mutate(recording) {
      const said = JSON.stringify({ error: { code: 503, message: "Overloaded.", status: "UNAVAILABLE" } });
      const tails = [`data: ${said}\n\n`, said, `${said}\n\ndata: [DONE]\n\n`, `${said}\r\n: bye\r\n\r\n`];
      let at = 0;
      frame(recording, (chunks) => `${asEvents(chunks, "\n")}${tails[at++ % tails.length]}`);
      for (const exchange of answered(recording)) delete exchange["digest"];
    },
  },
  {
    name: "histories with the model's parts in contents of their own",
    // No recording shows which of these the service accepts.
    except: ["emulator"],
    sameCounts: ["parse", "history", "loop"],
    mutate(recording) {
      for (const { request } of recording.exchanges) {
        if (!isJson(request)) continue;
        const contents = listOf(request["contents"]).flatMap((content) =>
          isJson(content) && content["role"] === "model" && listOf(content["parts"]).length > 1
            ? listOf(content["parts"]).map((part) => ({ ...content, parts: [part] }))
            : [content],
        );
        Object.assign(request, { contents });
      }
    },
  },
  {
    name: "refusals in a list, and as an error inside a 200",
    except: ["emulator"],
    sameCounts: ["values", "fold", "echo", "loop"],
    mutate(recording) {
      for (const [index, exchange] of recording.exchanges.entries()) {
        const error = exchange["status"] === 200 ? undefined : parsed(exchange.responseBody);
        if (error === undefined) continue;
        exchange.responseBody = JSON.stringify([error].flat());
        // With and without the member that names it.
        if (index % 2 === 0) [exchange["status"], exchange["kind"]] = [200, listOf(exchange["kind"]).slice(0, 1)];
      }
    },
  },
  {
    name: "answers to other methods",
    sameCounts: ["declarations"],
    mutate(recording) {
      for (const exchange of recording.exchanges) {
        exchange["path"] = "/v1beta/models/gemini-embedding-001:batchEmbedContents";
        if (exchange["status"] === 200) exchange.responseBody = '{"embeddings": [{"values": [0.1]}]}';
      }
    },
  },
];

/** Framings of the same stream. */
function framings(): readonly Mutation[] {
  const write: Readonly<Record<string, (chunks: readonly Json[]) => string>> = {
    "events that end with LF": (chunks) => asEvents(chunks, "\n"),
    "events that end with CR": (chunks) => asEvents(chunks, "\r"),
    "events without blank lines": (chunks) => asEvents(chunks, "\n", ""),
    "events with comments, ids and [DONE]": (chunks) =>
      `: hello\n\n${asEvents(chunks, "\n").replaceAll("data: ", "id: 7\nevent: message\ndata:")}data: [DONE]\n\n`,
    "a JSON array for events": asArray,
    "CRLF events for a JSON array": (chunks) => asEvents(chunks),
  };
  return Object.entries(write).map(([name, body]) => ({
    name,
    sameCounts: ALL,
    mutate: (recording) => frame(recording, body),
  }));
}

function rename(recording: Mutable, name: (model: string) => string): void {
  const model = (id: unknown): unknown => (typeof id === "string" && id !== "" ? name(id) : id);
  recording["model"] = model(recording["model"]);
  for (const exchange of answered(recording)) {
    exchange["model"] = model(exchange["model"]);
    // The answer also names the model.
    exchange["modelVersion"] = model(exchange["modelVersion"]);
    if (typeof exchange["path"] === "string")
      exchange["path"] = exchange["path"].replace(/\/models\/([^:?]+)/, (_, id: string) => `/models/${name(id)}`);
  }
}

function mapStreams(recording: Mutable, map: (chunks: readonly Json[]) => readonly Json[]): void {
  mapChunks(recording, (chunks) => (chunks.length > 1 ? map(chunks) : chunks));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
