/** A point in a run where the outside world can hold it: in the answer to a request, or in the execution of an item. */
export type Point = `model:${number}/${"asked" | "half" | "told"}` | `item:${number}/${"asked" | "done" | "told"}`;

/** One observation of the outside world, in order. */
export type Seen =
  | {
      readonly what: "model";
      readonly run: string;
      /** From 1. */
      readonly turn: number;
      /** Items whose outcome the model had by then. */
      readonly told: readonly number[];
      /** The last function responses, shortened. */
      readonly responses: readonly string[];
    }
  | {
      readonly what: "item";
      readonly run: string;
      readonly item: number;
      readonly key: string;
      /** The code that ran the tool. */
      readonly code: string;
      /** `asked`: the request came. `done`: it took effect. */
      readonly phase: "asked" | "done";
      /** Milliseconds on the outside world's clock. */
      readonly at: number;
    }
  /** A mark from the test. */
  | { readonly what: "mark"; readonly mark: string };

/** A request of the test to the outside process. */
export type Order =
  | { readonly do: "hold"; readonly run: string; readonly point: Point }
  /** Without a point: all points of the run; without a run: everything, and nothing is held from then on. */
  | { readonly do: "release"; readonly run?: string | undefined; readonly point?: Point | undefined }
  /** Milliseconds per answer. */
  | { readonly do: "pace"; readonly ms: number }
  | { readonly do: "mark"; readonly mark: string }
  /** Done when no request waits for an answer. */
  | { readonly do: "quiet" }
  | { readonly do: "seen" };

/** A message of the outside process. */
export type Said =
  | { readonly is: "ready"; readonly url: string }
  | { readonly is: "held"; readonly run: string; readonly point: Point }
  | { readonly is: "done"; readonly id: number; readonly seen?: readonly Seen[] | undefined };
