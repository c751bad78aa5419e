/** All choices of `size` items. */
export function subsets<T>(items: readonly T[], size: number): T[][] {
  if (size === 0) return [[]];
  return items.flatMap((item, index) => subsets(items.slice(index + 1), size - 1).map((rest) => [item, ...rest]));
}

/** All sums of one item of each list. */
export function sums(lists: readonly (readonly number[])[]): number[] {
  return lists.reduce<number[]>((found, list) => found.flatMap((sum) => list.map((x) => sum + x)), [0]);
}
