import { type Asked, call, HELLO, model, text, user } from "../request.ts";

/** A request that breaks a rule, and the expected message and status. Default status: 400. */
export type Case = readonly [rule: string, what: string, asked: Asked, message: string, status?: number];

export const ROOT = "* GenerateContentRequest";
export const contents = (...items: readonly unknown[]) => ({ contents: items });
export const parts = (...items: readonly unknown[]) => contents(user(...items));
export const config = (generationConfig: unknown) => ({ ...HELLO, generationConfig });
export const declare = (...functionDeclarations: readonly unknown[]) => ({
  ...HELLO,
  tools: [{ functionDeclarations }],
});
export const schema = (parameters: unknown) => declare({ name: "f", parameters });
export const jsonSchema = (parametersJsonSchema: unknown) => declare({ name: "f", parametersJsonSchema });
export const F = { name: "f" };
export const FD = "tools[0].function_declarations[0]";
export const TURN = [user(text("q")), model(call("f", "a", "SIG1"))] as const;
