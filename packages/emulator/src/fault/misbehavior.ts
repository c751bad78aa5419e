import type { FunctionCall, JsonObject } from "@pollux/core/wire";
import { type Answer, type AnswerPart, calls } from "../brain/answer.ts";
import { type BrokenArgs, breakArgs } from "./break-args.ts";
import type { AnswerFault, MisbehaviorFault } from "./fault.ts";

const ID_LENGTH = 8;

/** M-1: the span of one grounded segment is too long, and all later ones are shifted; the texts of the segments are correct. */
export function driftingOffsets(
  options: {
    /** Bytes. Default: 2. */
    readonly bytes?: number | undefined;
    /** Index of the segment that is too long. Default: 0, the first. */
    readonly from?: number | undefined;
  } = {},
): MisbehaviorFault {
  const { bytes = 2, from = 0 } = options;
  return misbehavior("M-1", (answer) => ({ ...answer, offsetDrift: { bytes, from } }));
}

/** M-2: the arguments of each call in the answer violate the function's schema in one way. */
export function brokenArgs(how: BrokenArgs): MisbehaviorFault {
  return misbehavior("M-2", (answer, turn) => {
    const declared = (turn.request.tools ?? []).flatMap((tool) => tool.functionDeclarations ?? []);
    return mapCalls(answer, (call) => {
      const declaration = declared.find(({ name }) => name === call.name);
      return breakArgs(call, declaration?.parametersJsonSchema ?? declaration?.parameters ?? {}, how);
    });
  });
}

/** M-3: parallel calls share one id; a single call has the id of the latest call before it. */
export function duplicateIds(): MisbehaviorFault {
  return misbehavior("M-3", (answer, turn) => {
    const earlier = turn.request.contents.flatMap(({ parts }) => parts.flatMap((part) => part.functionCall?.id ?? []));
    const single = answer.parts.filter(({ part }) => part.functionCall !== undefined).length === 1;
    const id = (single ? earlier.at(-1) : undefined) ?? turn.random.id(ID_LENGTH);
    return mapCalls(answer, (call) => ({ ...call, id }));
  });
}

/** M-4: calls have no ids, on models that send them. */
export function missingIds(): MisbehaviorFault {
  return misbehavior("M-4", (answer) => {
    const bare = mapCalls(answer, ({ id: _id, ...call }) => call);
    return { ...bare, callIds: false };
  });
}

/** M-5: the first call names an undeclared function, and the turn still ends with `STOP`. */
export function undeclaredCall(name = "list_files"): MisbehaviorFault {
  return misbehavior("M-5", (answer) => {
    const first = answer.parts.find(({ part }) => part.functionCall !== undefined);
    if (first === undefined) return { ...answer, parts: [...answer.parts, ...calls(name).parts] };
    return mapCalls(answer, (call) => (call === first.part.functionCall ? { ...call, name } : call));
  });
}

/** M-6: a function is called although the mode is `NONE`: the first declared one unless named, without arguments unless given. */
export function callDespiteNone(name?: string, args: JsonObject = {}): AnswerFault {
  return {
    kind: "answer",
    rule: "M-6",
    replace(turn) {
      const declared = (turn.request.tools ?? []).flatMap((tool) => tool.functionDeclarations ?? []);
      return calls({ name: name ?? declared[0]?.name ?? "get_weather", args });
    },
  };
}

function mapCalls(answer: Answer, change: (call: FunctionCall) => FunctionCall): Answer {
  const parts = answer.parts.map((item): AnswerPart => {
    const call = item.part.functionCall;
    return call === undefined ? item : { ...item, part: { ...item.part, functionCall: change(call) } };
  });
  return { ...answer, parts };
}

function misbehavior(rule: string, change: MisbehaviorFault["change"]): MisbehaviorFault {
  return { kind: "misbehavior", rule, change };
}
