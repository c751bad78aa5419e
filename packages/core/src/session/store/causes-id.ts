/** What the ids of all logs of causes begin with. */
export const CAUSES = "causes/";

/** What the ids of the logs with the causes of one log of exchanges begin with. Its length keeps it apart from ids that continue it. */
export function causesOf(id: string): string {
  return `${CAUSES}${id.length}/${id}/`;
}
