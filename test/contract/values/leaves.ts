/** A value without inner values: a string, number, boolean or null, or an empty object or list. */
export interface Leaf {
  /** Its path, such as `candidates[0].content.parts[2].text`. */
  readonly path: string;
  /** The path without positions, such as `candidates[].content.parts[].text`. */
  readonly field: string;
  /** The value and its path, with list items in place of their indices: equal for the same value of the same item. */
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
    // A candidate is the same one in every chunk, even with other members.
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
