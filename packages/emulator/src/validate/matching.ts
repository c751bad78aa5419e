import type { Part } from "@pollux/core/wire";

/** Whether responses, in any order, have the ids and names of the calls: an id if the call has one, otherwise none. */
export function matchesCalls(calls: readonly Part[], responses: readonly Part[]): boolean {
  const open = calls.flatMap(({ functionCall: call }) => (call ? [{ id: call.id, name: call.name }] : []));
  return responses.every(({ functionResponse: response }) => {
    if (!response) return true;
    const found = open.findIndex(({ id, name }) => (id || "") === (response.id || "") && name === response.name);
    if (found === -1) return false;
    open.splice(found, 1);
    return true;
  });
}
