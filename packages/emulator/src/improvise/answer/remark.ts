import type { Content } from "@pollux/core/wire";

/** Said once in a conversation, so that its answers aren't mistaken for a model's. */
export const REMARK = "(This is the local emulator; no model wrote this.)";

/** Adds the remark to the first answer of a conversation. */
export function withRemark(said: string, contents: readonly Content[]): string {
  if (wasSaid(REMARK, contents)) return said;
  return `${said}${/\n/.test(said) ? "\n\n" : " "}${REMARK}`;
}

/** Whether a conversation has this sentence in one of its answers. */
export function wasSaid(sentence: string, contents: readonly Content[]): boolean {
  // A streamed answer may come back in pieces.
  return contents.some(
    ({ role, parts }) =>
      role === "model" &&
      parts
        .map(({ text }) => text ?? "")
        .join("")
        .includes(sentence),
  );
}
