import type { Content } from "@pollux/core/wire";

/** Said once in a conversation, so that its answers aren't mistaken for a model's. */
export const REMARK = "(This is the local emulator; no model wrote this.)";

/** Adds the remark to the first answer of a conversation. */
export function withRemark(said: string, contents: readonly Content[]): string {
  // A streamed answer may come back in pieces.
  const isSaid = contents.some(
    ({ role, parts }) =>
      role === "model" &&
      parts
        .map(({ text }) => text ?? "")
        .join("")
        .includes(REMARK),
  );
  if (isSaid) return said;
  return `${said}${/\n/.test(said) ? "\n\n" : " "}${REMARK}`;
}
