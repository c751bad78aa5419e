import type { ModelFacts } from "../catalog/model-facts.ts";
import type { ResourceAnswer } from "../resource-answer.ts";
import { estimateText } from "../respond/tokens.ts";
import { type Problem, problem } from "../validate/problem.ts";
import { DIMENSIONS, embed } from "./embed.ts";
import { dimensionProblem, readable, tokensProblem } from "./embedding-model.ts";

interface Instance {
  readonly content?: unknown;
  readonly title?: unknown;
}

interface Parameters {
  readonly outputDimensionality?: number | string;
  readonly autoTruncate?: boolean;
}

/** Vertex's method for the first generation of embedding models: one instance per request. */
export function answerPredict(body: Readonly<Record<string, unknown>>, model: ModelFacts): ResourceAnswer {
  const operation = "predict";
  // Instances and parameters are free-form JSON to the service; their required fields are checked below.
  const instances = (body["instances"] ?? []) as readonly Instance[];
  const parameters = (body["parameters"] ?? {}) as Parameters;
  const [instance] = instances;
  const content = instance?.content;
  const found = instancesProblem(instances) ?? parametersProblem(parameters, String(content), model);
  if (found || typeof content !== "string") {
    return { operation, problems: [found ?? problem("E-04", "* PredictRequest.instances: content is not specified")] };
  }
  const title = typeof instance?.title === "string" ? `${instance.title}\n` : "";
  const dimensions = Number(parameters.outputDimensionality ?? DIMENSIONS);
  const tokens = estimateText(content);
  const statistics = {
    truncated: tokens > model.inputTokenLimit,
    token_count: Math.min(tokens, model.inputTokenLimit),
  };
  const values = embed({ text: readable(title + content, model), media: [] }, dimensions, false);
  return {
    operation,
    model: model.id,
    body: {
      predictions: [{ embeddings: { values, statistics } }],
      metadata: { billableCharacterCount: content.replaceAll(/\s/g, "").length },
    },
  };
}

function instancesProblem(instances: readonly Instance[]): Problem | undefined {
  if (instances.length === 0) return problem("E-04", "* PredictRequest.instances: instances is not specified");
  if (instances.length === 1) return undefined;
  const message =
    "Unable to submit request because it included too many instances. Reduce the number of instances and try again. " +
    "Learn more: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings: Unable to submit " +
    `request because batchSize must be 1 but the entered value was ${instances.length}. Update the batchSize value and try again.`;
  return problem("X-1", message);
}

function parametersProblem(parameters: Parameters, content: string, model: ModelFacts): Problem | undefined {
  const { outputDimensionality = DIMENSIONS, autoTruncate } = parameters;
  const tokens = estimateText(content);
  return (
    dimensionProblem(Number(outputDimensionality), "PredictRequest.parameters.outputDimensionality") ??
    (autoTruncate === false && tokens > model.inputTokenLimit ? tokensProblem(tokens, model) : undefined)
  );
}
