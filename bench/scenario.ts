/** The service's side of one run: a number of tool turns and then a text, or one streamed text. */
export type Scenario =
  | {
      readonly kind: "turns";
      /** Turns that call the tool; one more answers with the text `done`. */
      readonly turns: number;
      /** Length of the tool's result, in characters. */
      readonly resultBytes: number;
      /** Wait before each answer, in ms. */
      readonly wait: number;
    }
  | {
      readonly kind: "chunks";
      readonly chunks: number;
      /** Length of the text of each chunk, in characters. */
      readonly size: number;
    };

/** The path of a client's base URL: `/{tag}/{kind}/{number}/{number}/{wait}`. Requests are counted per tag. */
export function pathOf(tag: string, scenario: Scenario): string {
  return scenario.kind === "turns"
    ? `/${tag}/turns/${scenario.turns}/${scenario.resultBytes}/${scenario.wait}`
    : `/${tag}/chunks/${scenario.chunks}/${scenario.size}/0`;
}

/** Parses the output of {@link pathOf} at the start of a URL's path. */
export function readPath(path: string): { readonly tag: string; readonly scenario: Scenario } | undefined {
  const [, tag, kind, first, second, wait] = path.split("/", 6);
  if (tag === undefined || wait === undefined) return undefined;
  if (kind === "turns")
    return { tag, scenario: { kind, turns: Number(first), resultBytes: Number(second), wait: Number(wait) } };
  if (kind === "chunks") return { tag, scenario: { kind, chunks: Number(first), size: Number(second) } };
  return undefined;
}

/** The tool's result, which the service looks for in each request. */
export function resultOf(bytes: number): string {
  return "r".repeat(bytes);
}
