import type { GenerationConfig } from "@pollux/core/wire";
import { type Problem, problem } from "./problem.ts";
import { schemaProblems } from "./schema.ts";
import type { Subject } from "./subject.ts";
import { thinkingProblem } from "./thinking.ts";

const ROOT = "* GenerateContentRequest.generation_config";

/** Invalid fields in the generation config (E-21 to E-26, E-47 to E-48c), all of them at once. */
export function configFieldProblems(subject: Subject): Problem[] {
  const config = subject.request.generationConfig;
  if (!config) return [];
  const { responseSchema } = config;
  const schema = responseSchema ? schemaProblems(responseSchema, "generation_config.response_schema") : [];
  return [
    ...schema,
    ...mimeTypeProblems(config, subject),
    ...(subject.surface === "developer" ? rangeProblems(config, subject) : []),
  ];
}

/** Settings that the model or the surface rejects (E-41, E-44 to E-48d, E-60 to E-65): the first violated rule. */
export function configProblem(subject: Subject): Problem | undefined {
  const { request, model, surface, operation } = subject;
  const config = request.generationConfig;
  if (request.systemInstruction?.parts?.length && !model.systemInstruction) {
    return problem("E-41", `Developer instruction is not enabled for models/${model.id}`);
  }
  if (!model.multiturn && request.contents.some((content) => content.role === "model")) {
    return problem("E-41", `Multiturn chat is not enabled for models/${model.id}`);
  }
  if (!model.mediaResolution && asksForResolution(request)) {
    return problem("E-41", `Media resolution is not enabled for models/${model.id}`);
  }
  if (!config) return undefined;
  const { maxOutputTokens = 0, candidateCount = 1, responseLogprobs } = config;
  if (candidateCount > model.maxCandidates) return problem("E-44", "Multiple candidates is not enabled for this model");
  if (surface === "developer") {
    const penalty = Boolean(config.presencePenalty) || Boolean(config.frequencyPenalty);
    if (penalty && model.generation === 2.5) return problem("E-45", `Penalty is not enabled for models/${model.id}`);
    if (responseLogprobs === true) return problem("E-46", "Logprobs is not enabled for this model");
  }
  const unary = operation === "generateContent" && !request.continuationToken;
  const hop = model.unaryTokenLimit;
  if (unary && hop !== undefined && maxOutputTokens > hop) {
    return problem(
      "E-48",
      `max_output_tokens must be at most ${hop} for generateContent requests to models/${model.id}. Please use streamGenerateContent.`,
    );
  }
  return (surface === "vertex" ? vertexRangeProblem(config, subject) : undefined) ?? thinkingProblem(subject);
}

/** A requested kind of output that the model lacks (E-67, E-67b). */
export function modalityProblem({ request, model }: Subject): Problem | undefined {
  const requested = (request.generationConfig?.responseModalities ?? []).map((word) => word.toUpperCase());
  if (model.audioOutput) {
    const wanted = requested.length === 0 ? "TEXT" : requested.join(", ");
    if (wanted === "AUDIO") return undefined;
    const message = `The requested combination of response modalities (${wanted}) is not supported by the model. models/${model.id} accepts the following combination of response modalities:\n* AUDIO\n`;
    return problem("E-67b", message);
  }
  if (!requested.includes("AUDIO") || model.imageOutput) return undefined;
  return problem("E-67", "This model only supports text output.");
}

function asksForResolution({ generationConfig, contents }: Subject["request"]): boolean {
  const requested = generationConfig?.mediaResolution ?? "MEDIA_RESOLUTION_UNSPECIFIED";
  return (
    requested !== "MEDIA_RESOLUTION_UNSPECIFIED" ||
    contents.some(({ parts }) => parts.some((part) => part.mediaResolution !== undefined))
  );
}

function mimeTypeProblems(config: GenerationConfig, { switches }: Subject): Problem[] {
  const constrained = config.responseSchema !== undefined || config.responseJsonSchema !== undefined;
  const mimeType = config.responseMimeType;
  const problems: Problem[] = [];
  if (mimeType && !["text/plain", "application/json", "text/x.enum"].includes(mimeType)) {
    const allowed =
      "allowed mimetypes are `text/plain`, `application/json`, `application/xml`, `application/yaml` and `text/x.enum`.";
    problems.push(problem("E-47", `${ROOT}.response_mime_type: ${allowed}`));
  } else if (
    constrained &&
    switches.schemaNeedsMimeType &&
    !["application/json", "text/x.enum"].includes(mimeType ?? "")
  ) {
    const message = "must be `application/json` or `text/x.enum` when a response schema is set.";
    problems.push(problem("E-47", `${ROOT}.response_mime_type: ${message}`));
  }
  return problems;
}

interface Range {
  readonly rule: string;
  readonly name: string;
  readonly field: string;
  readonly value: number | undefined;
  readonly min: number;
  readonly max: number;
  /** Upper bound as Vertex prints it, exclusive. */
  readonly end: string;
}

function ranges(config: GenerationConfig, { model, switches, surface }: Subject): Range[] {
  const limit = model.outputTokenLimit;
  const { maxOutputTokens, temperature, topP } = config;
  // With long decoding, the request sets a budget over all hops; the model's limit is for one hop.
  const max = model.longDecode ? 2 ** 31 - 1 : limit;
  const tokens = {
    rule: "E-48b",
    name: "maxOutputTokens",
    field: "max_output_tokens",
    value: maxOutputTokens,
    min: 1,
    max,
    end: String(max + 1),
  };
  const isVertex = surface === "vertex";
  if (switches.samplingRanges === false || (switches.samplingRanges === "seen" && !isVertex)) return [tokens];
  const rule = isVertex ? "E-48d" : "E-48c";
  return [
    tokens,
    { rule, name: "temperature", field: "temperature", value: temperature, min: 0, max: 2, end: "2.0001" },
    { rule, name: "topP", field: "top_p", value: topP, min: 0, max: 1, end: "1.0001" },
  ];
}

function rangeProblems(config: GenerationConfig, subject: Subject): Problem[] {
  return ranges(config, subject)
    .filter(isOutside)
    .map(({ rule, field, value = 0, min, max }) => {
      if (rule === "E-48b" && value < min) return problem(rule, `${ROOT}.${field}: ${field} must be positive.`);
      return problem(rule, `${ROOT}.${field}: ${field} must be in the range [${min}, ${max}].`);
    });
}

function vertexRangeProblem(config: GenerationConfig, subject: Subject): Problem | undefined {
  const found = ranges(config, subject).find(isOutside);
  if (!found) return undefined;
  const { rule, name, value, min, end } = found;
  return problem(
    rule,
    `Unable to submit request because it has a ${name} value of ${value} but the supported range is from ${min} (inclusive) to ${end} (exclusive). Update the value and try again.`,
  );
}

function isOutside({ value, min, max }: Range): boolean {
  return value !== undefined && (value < min || value > max);
}
