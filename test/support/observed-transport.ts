import { nodeTransport } from "@pollux/core/node";
import { type FetchLike, type HttpRequest, SEND, type Sending } from "../../packages/core/src/wire/sending.ts";

/** `POLLUX_TRANSPORT=node` runs the tests that go over a socket with the node transport instead of `fetch`. */
export const OVER_NODE: boolean = process.env["POLLUX_TRANSPORT"] === "node";

/** Shared, as in a program. */
export const shared = nodeTransport({ proxyEnv: {} });

/** The node transport, noting the bodies that go and come. */
export function observedTransport(bodies: string[], answers: string[]): FetchLike {
  const send = (request: HttpRequest): Sending => {
    bodies.push(new TextDecoder().decode(request.body));
    const sending = shared[SEND](request);
    const decoder = new TextDecoder();
    let index: number | undefined;
    return {
      head: sending.head.then((head) => {
        index = answers.push("") - 1;
        return head;
      }),
      async read() {
        const bytes = await sending.read();
        if (index !== undefined) answers[index] += decoder.decode(bytes, { stream: true });
        return bytes;
      },
      cancel: (reason) => sending.cancel(reason),
    };
  };
  return Object.assign((input: string, init: RequestInit) => shared(input, init), { [SEND]: send });
}
