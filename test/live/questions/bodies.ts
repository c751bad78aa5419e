import { type Ask, type LiveRequest, partsOf, Unanswered } from "../service.ts";

type Fields = Readonly<Record<string, unknown>>;

export const user = (...parts: readonly unknown[]): unknown => ({ role: "user", parts });
export const model = (...parts: readonly unknown[]): unknown => ({ role: "model", parts });
export const text = (value: string): unknown => ({ text: value });

/** A request for one word, with more fields. */
export const hello = (fields: Fields = {}, id?: string): LiveRequest => ({
  model: id,
  body: { contents: [user(text("Say hi."))], ...fields },
});
export const config = (generationConfig: Fields, id?: string): LiveRequest => hello({ generationConfig }, id);

/** A function without arguments. */
const look = (name: string): Fields => ({
  name,
  description: `Reads the ${name}.`,
  parametersJsonSchema: { type: "object", properties: {} },
});
export const tools = (...functionDeclarations: readonly unknown[]): Fields => ({ tools: [{ functionDeclarations }] });
export const CLOCK: Fields = tools(look("clock"), look("date"));
export const mode = (name: string): Fields => ({ toolConfig: { functionCallingConfig: { mode: name } } });
export const schema = (parametersJsonSchema: unknown, more: Fields = {}): LiveRequest =>
  hello({ ...tools({ name: "f", description: "Does f.", parametersJsonSchema }), ...more });

/** A signature that the service takes for any part. */
export const DUMMY = "skip_thought_signature_validator";
export const call = (name = "clock", thoughtSignature: unknown = DUMMY): unknown => ({
  functionCall: { id: "a", name, args: {} },
  thoughtSignature,
});
export const response = (id: unknown = "a", name = "clock"): unknown => ({
  functionResponse: { ...(id !== null && { id }), name, response: { output: "noon" } },
});

/** A conversation with two functions at hand. */
export const conversation = (contents: readonly unknown[], id?: string): LiveRequest => ({
  model: id,
  body: {
    contents: [user(text("What time is it?")), ...contents],
    ...CLOCK,
    generationConfig: { maxOutputTokens: 256 },
  },
});

/** Lets the model call, and gives the part as it came, with its signature. */
export async function realCall(ask: Ask, id?: string): Promise<Fields> {
  const body = { contents: [user(text("What time is it?"))], ...CLOCK, ...mode("ANY") };
  const answer = await ask({ model: id, body: { ...body, generationConfig: { maxOutputTokens: 1_024 } } });
  const found = partsOf(answer).find((part) => part["functionCall"] !== undefined);
  if (found?.["thoughtSignature"] === undefined) throw new Unanswered("the model made no signed call");
  return found;
}
