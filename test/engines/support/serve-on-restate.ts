import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { serveAgents } from "@pollux/restate";
import { createEndpointHandler, workflow, type WorkflowContext } from "@restatedev/restate-sdk";
import { restateSteps } from "../../../packages/restate/src/restate-steps.ts";
import { makeAgents } from "./agents.ts";
import { sleeper } from "./sleeper.ts";
import type { WorkerKind, WorkerOrder, WorkerSaid, WorkerSetup } from "./worker-messages.ts";

/** A worker of Restate: the agents, and the program that sleeps. */
export async function serve(
  { on, outside, code }: WorkerSetup & { readonly on: Extract<WorkerKind, { kind: "restate" }> },
  _say: (said: WorkerSaid) => void,
): Promise<{ obey(order: WorkerOrder): void; readonly port: number }> {
  const { services } = serveAgents({ agents: await makeAgents({ outside, code }), ingress: on.ingress, events: false });
  const napper = workflow({
    name: "napper",
    handlers: {
      run: async (ctx: WorkflowContext, ms: number): Promise<void> => {
        const { attemptCompletedSignal: signal } = ctx.request();
        const nothing = (): void => {};
        const steps = restateSteps(ctx, {
          signal,
          children: new Set(),
          note: nothing,
          cancelled: nothing,
          emit: async () => {},
        });
        await sleeper(steps, ms, outside);
      },
    },
  });
  const server = createServer(createEndpointHandler({ services: [...services, napper], logger: () => {} }));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // The address of a server on a port.
  return { obey: () => {}, port: (server.address() as AddressInfo).port };
}
