import type { Content, Part } from "@pollux/core";
import type { World } from "./world.ts";

/** A request as sent. */
export interface SentBody {
  readonly contents: readonly Content[];
  readonly tools?: readonly { readonly [kind: string]: unknown }[];
  readonly toolConfig?: { readonly [name: string]: unknown };
  readonly generationConfig?: { readonly [name: string]: unknown };
}

/** The parsed requests of a world's models. */
export function sentBy(world: World): readonly SentBody[] {
  return world.bodies.map((body) => JSON.parse(body) as SentBody);
}

/** The contents of each request, one line per content. */
export function sketches(world: World): readonly (readonly string[])[] {
  return sentBy(world).map(({ contents }) => sketch(contents));
}

/**
 * One line per content, such as `model: "Let me look." get_weather({"city":"Oslo"})*`. A star is a thought
 * signature, `<-` a response, `~` a thought; ids are left out.
 */
export function sketch(contents: readonly Content[]): readonly string[] {
  return contents.map(({ role, parts }) => `${role}: ${parts.map(sketchPart).join(" ")}`);
}

function sketchPart(part: Part): string {
  const { text, functionCall: call, functionResponse: response, thought, thoughtSignature: signature, ...rest } = part;
  let said = Object.keys(rest).join("+");
  if (text !== undefined) said = `${thought === true ? "~" : ""}${JSON.stringify(text)}`;
  if (call !== undefined) said = `${call.name}(${call.args === undefined ? "" : JSON.stringify(call.args)})`;
  if (response !== undefined) said = `${response.name} <- ${JSON.stringify(response.response)}`;
  return signature === undefined ? said : `${said}*`;
}
