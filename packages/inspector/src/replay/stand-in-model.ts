import { endpoint, gemini, type Model } from "@pollux/core";
import { type HistoryOrigin, inferCapabilities } from "@pollux/core/model";
import { createEmulator, replay, type Brain, type Recording } from "@pollux/emulator";
import { improvise } from "@pollux/emulator/improvise";
import { fieldsOf, textOf } from "../inspection/read-values.ts";
import type { RunFold } from "../inspection/run-fold.ts";

/** The model of a run, and where its signatures are valid. */
export interface AskedModel {
  readonly id: string;
  readonly origin: HistoryOrigin;
}

/** The model of a run, from its log. */
export function askedModel({ entry }: RunFold): AskedModel {
  const id = textOf(entry["model"]) ?? "gemini-flash-latest";
  const { endpoint: host, family } = fieldsOf(entry["origin"]);
  const own = inferCapabilities(id).family;
  return { id, origin: { endpoint: textOf(host) ?? id, family: textOf(family) ?? own } };
}

/** A model that gets contents in the form for another model, and lets `respond` answer. */
export function standInModel({ id, origin }: AskedModel, respond: Model["respond"]): Model {
  return { id, origin, capabilities: inferCapabilities(id), streams: true, check: () => {}, respond };
}

/**
 * A model played by the emulator, by the service's rules: recorded answers as long as the requests match the recording, improvised ones
 * after that. Nothing leaves the process.
 */
export function emulatedModel(asked: AskedModel, recording: Recording): Model {
  const emulator = createEmulator({ brain: recordedThenImprovised(recording), strict: { extraModels: "gemini" } });
  const model = gemini(emulatedId(asked.id), {
    endpoint: localEndpoint(),
    fetch: (input, init) => emulator.fetch(input, init),
  });
  return standInModel(asked, (request, options) => model.respond(request, options));
}

function recordedThenImprovised(recording: Recording): Brain {
  const answered = recording.exchanges.filter(({ status, ended }) => status === 200 && ended === undefined);
  const recorded = replay({ exchanges: answered });
  const improvised = improvise();
  return {
    // Recorded contents have signatures of the service.
    anySignature: true,
    answer: async (turn) => {
      try {
        return await recorded.answer(turn);
      } catch {
        return await improvised.answer(turn);
      }
    },
  };
}

function localEndpoint(): ReturnType<typeof endpoint> {
  return endpoint({ baseUrl: "http://127.0.0.1" });
}

/** An id that the emulator knows. */
function emulatedId(id: string): string {
  return /^gemini-(?:\d|flash|pro)/.test(id) ? id : "gemini-flash-latest";
}
