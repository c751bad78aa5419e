/* if operator */
import type { Endpoint, SessionStore } from "@pollux/core";
import { type Operator, type OperatorHandler, operatorHandler } from "@pollux/web";
import { createAgent } from "./agent.ts";

/**
 * Answers every request below `/api/operator`: lists the calls that wait, in all chats, and decides them.
 *
 * @param token - Who knows it is an operator. Check the login of your employees instead before you deploy.
 */
export function createOperators(endpoint: Endpoint, store: SessionStore, token: string): OperatorHandler {
  // With `approvedBy`, an operator answers only calls of tools that name one of these names, or no one.
  const authorize = ({ headers }: Request): Operator | Response =>
    headers.get("authorization") === `Bearer ${token}`
      ? { by: "operator" }
      : new Response("Open the address of this page that the server prints.", { status: 401 });
  return operatorHandler({ agent: createAgent(endpoint), store, authorize });
}
/* end */
