import type { ChatMessage } from "../server/agent.ts";

/** One line of the list of conversations. */
export interface ChatSummary {
  readonly id: string;
  readonly title?: string;
  readonly state: "idle" | "running" | "waiting" | "stopped" | "cut-off";
  readonly updatedAt: number;
}

/** A conversation as the server has it. */
export interface StoredChat {
  readonly title?: string;
  readonly state: ChatSummary["state"];
  readonly messages: ChatMessage[];
}

/** A run is going, or goes on when somebody follows it. */
export function isGoing(state: ChatSummary["state"]): boolean {
  return state === "running" || state === "cut-off";
}

export const API = "/api/chat";

export async function listChats(): Promise<readonly ChatSummary[]> {
  const { chats } = await ask<{ chats: readonly ChatSummary[] }>("GET", "?limit=100");
  return chats;
}

/** Undefined when there is none of that id. */
export async function loadChat(id: string): Promise<StoredChat | undefined> {
  const response = await fetch(`${API}/${id}`);
  if (response.status === 404) return undefined;
  return await read<StoredChat>(response);
}

export async function renameChat(id: string, title: string): Promise<void> {
  await ask("PATCH", `/${id}`, { title });
}

export async function deleteChat(id: string): Promise<void> {
  await ask("DELETE", `/${id}`);
}

/** Resumes a run that failed, was stopped or reached a limit. Its stream shows what comes of it. */
export async function continueChat(id: string): Promise<void> {
  await ask("POST", `/${id}/continue`);
}

/** Says something to a run that is going. The stream that shows the run goes on, so the one that answers is not read. */
export async function steerChat(id: string, message: Pick<ChatMessage, "id" | "role" | "parts">): Promise<void> {
  const response = await fetch(API, init("POST", { id, message }));
  if (!response.ok) throw new Error(await problemOf(response));
  await response.body?.cancel();
}

async function ask<Result>(method: string, path: string, body?: object): Promise<Result> {
  return await read<Result>(await fetch(`${API}${path}`, init(method, body)));
}

function init(method: string, body?: object): RequestInit {
  return body === undefined
    ? { method }
    : { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

async function read<Result>(response: Response): Promise<Result> {
  if (!response.ok) throw new Error(await problemOf(response));
  const text = await response.text();
  // Both sides are of the same release.
  return (text === "" ? undefined : JSON.parse(text)) as Result;
}

async function problemOf(response: Response): Promise<string> {
  return readProblem(await response.text().catch(() => "")).message;
}

/** What the server said was wrong: its errors are JSON with a message. */
export function readProblem(text: string): Problem {
  try {
    const { error } = JSON.parse(text) as { error?: Partial<Problem> };
    return { message: FALLBACK, ...error };
  } catch {
    return { message: text === "" ? FALLBACK : text };
  }
}

export interface Problem {
  readonly code?: string;
  readonly message: string;
}

const FALLBACK = "Something went wrong. Try again.";
