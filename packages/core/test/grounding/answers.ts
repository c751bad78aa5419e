import type { ModelResponse } from "../../src/model/model.ts";
import { NO_USAGE } from "../../src/model/usage.ts";
import type { Part } from "../../src/wire/types/content.ts";

/** A response with these parts and this candidate, as the model layer hands it over. */
export function answer(parts: readonly Part[], candidate: object = {}): ModelResponse {
  return {
    content: { role: "model", parts },
    finishReason: "STOP",
    usage: NO_USAGE,
    candidate: candidate,
    envelope: {},
  };
}

/** Where `segment` is in `text`, in UTF-8 bytes, as the service sends it. */
export function bytesOf(text: string, segment: string): { startIndex: number; endIndex: number; text: string } {
  const encoder = new TextEncoder();
  const startIndex = encoder.encode(text.slice(0, text.indexOf(segment))).length;
  return { startIndex, endIndex: startIndex + encoder.encode(segment).length, text: segment };
}

export function web(name: string): { web: { uri: string; title: string } } {
  return { web: { uri: `https://${name}.example/`, title: name } };
}
