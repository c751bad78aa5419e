/** A value that holds no other: a string, number, boolean or null, or an empty object or list. */
export interface Leaf {
  /** Where it is, such as `candidates[0].content.parts[2].text`. */
  readonly path: string;
  /** The path without positions, such as `candidates[].content.parts[].text`. */
  readonly field: string;
  /** The path with each object of a list in place of its position, and the value: equal for the same value of the same thing. */
  readonly identity: string;
  readonly value: unknown;
}

/** Every leaf of a value, in order. */
export function leavesOf(value: unknown, at: Omit<Leaf, "value"> = { path: "", field: "", identity: "" }): Leaf[] {
  const entries = typeof value === "object" && value !== null ? Object.entries(value) : [];
  if (entries.length === 0) return [{ ...at, identity: `${at.identity} = ${JSON.stringify(value)}`, value }];
  return entries.flatMap(([key, held]) => {
    if (!Array.isArray(value)) {
      const step = at.path === "" ? key : `.${key}`;
      return leavesOf(held, { path: at.path + step, field: at.field + step, identity: at.identity + step });
    }
    // A candidate is the same candidate in every chunk, whatever it holds.
    const isThing = typeof held === "object" && at.field !== "candidates";
    return leavesOf(held, {
      path: `${at.path}[${key}]`,
      field: `${at.field}[]`,
      identity: `${at.identity}[${isThing ? JSON.stringify(held) : ""}]`,
    });
  });
}

/** True for an empty string, object or list, and for null. */
export function isEmptyLeaf({ value }: Leaf): boolean {
  return value === "" || value === null || typeof value === "object";
}
