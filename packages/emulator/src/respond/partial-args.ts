import type { FunctionCall, JsonObject, PartialArg, Part } from "@pollux/core/wire";
import { textDeltas } from "./text-deltas.ts";

const STRING_PIECE = 12;

/** A call with streamed arguments, as Vertex sends it on request: start, one part per value or piece of text, terminator. */
export function partialArgParts(part: Part & { readonly functionCall: FunctionCall }): Part[] {
  const { args = {}, ...call } = part.functionCall;
  const values = partialArgs("$", args);
  if (values.length === 0) return [{ ...part, functionCall: call }];
  return [
    { ...part, functionCall: { ...call, willContinue: true } },
    ...values.map((value) => ({
      functionCall: { partialArgs: [value], willContinue: true } as unknown as FunctionCall,
    })),
    // The terminator is empty; it doesn't even have a name.
    { functionCall: {} as FunctionCall },
  ];
}

function partialArgs(path: string, value: unknown): PartialArg[] {
  if (Array.isArray(value)) {
    if (value.length === 0) return [{ jsonPath: `${path}[]` }];
    return value.flatMap((item, index) => partialArgs(`${path}[${index}]`, item));
  }
  if (typeof value === "object" && value !== null) {
    return Object.entries(value as JsonObject).flatMap(([key, item]) => partialArgs(`${path}.${key}`, item));
  }
  if (typeof value === "string") {
    const pieces = textDeltas(value, STRING_PIECE);
    return pieces.map((stringValue, index) => ({
      jsonPath: path,
      stringValue,
      ...(index < pieces.length - 1 && { willContinue: true }),
    }));
  }
  if (typeof value === "number") return [{ jsonPath: path, numberValue: value }];
  if (typeof value === "boolean") return [{ jsonPath: path, boolValue: value }];
  return [{ jsonPath: path, nullValue: "NULL_VALUE" }];
}
