/** Prefix of the ids of all logs of causes. */
export const CAUSES = "causes/";

/** Prefix of the ids of the logs with the causes of one log of exchanges. The length tells it from longer ids that start the same. */
export function causesOf(id: string): string {
  return `${CAUSES}${id.length}/${id}/`;
}
