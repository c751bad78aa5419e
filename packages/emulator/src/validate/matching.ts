import type { Part } from "@pollux/core/wire";

/**
 * Whether responses, in any order, have the names and ids of the calls; a call may have no id.
 *
 * @param byName Whether a response without an id answers the first call of its name that is still open.
 */
export function matchesCalls(calls: readonly Part[], responses: readonly Part[], byName: boolean): boolean {
  const open = calls.flatMap(({ functionCall: call }) => (call ? [{ id: call.id || "", name: call.name }] : []));
  const sent = responses.flatMap(({ functionResponse: response }) => (response ? [response] : []));
  // Responses without an id come last and get the remaining calls.
  return sent
    .toSorted((left, right) => Number(!left.id) - Number(!right.id))
    .every((response) => {
      const id = response.id || "";
      const found = open.findIndex((call) => call.name === response.name && (call.id === id || (byName && id === "")));
      return found !== -1 && open.splice(found, 1).length === 1;
    });
}
