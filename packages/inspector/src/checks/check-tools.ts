import type { Agent, AnyTool, Json, Tool } from "@pollux/core";
import type { ExchangeFold } from "../inspection/exchange-fold.ts";
import { textOf } from "../inspection/read-values.ts";
import type { ToolCheck } from "../inspection/results.ts";
import { readHead } from "../replay/request-head.ts";
import { findRefusal } from "./check-request.ts";

/** Checks the functions of an agent, with the changes to their schemas, and those of the last kept request. */
export async function checkTools(
  exchanges: ExchangeFold,
  named: { readonly name: string; readonly agent: Agent } | undefined,
): Promise<readonly ToolCheck[]> {
  const own = (named?.agent.tools ?? []).filter(isFunction);
  const sent = lastRequest(exchanges);
  const known = new Set(own.map(({ name }) => name));
  const declared = sent?.functions.filter(({ name }) => !known.has(name)) ?? [];
  const url = sent?.url ?? "/v1beta/models/gemini-flash-latest:generateContent";
  const checks: readonly ToolCheck[] = [
    ...own.map((tool) => ({
      name: tool.name,
      description: tool.description,
      from: { agent: named?.name ?? "" },
      declaration: asJson(tool.declaration),
      changes: tool.schemaChanges,
    })),
    ...declared.map((declaration) => ({
      name: declaration.name,
      description: textOf(declaration.description) ?? "",
      from: { n: sent?.n ?? 0 },
      declaration: asJson(declaration),
    })),
  ];
  return await Promise.all(
    checks.map(async (check) => {
      const body = bodyWith(check.declaration);
      return { ...check, refusal: await findRefusal({ method: "POST", url: unary(url), body }) };
    }),
  );
}

function isFunction(tool: AnyTool): tool is Tool {
  return tool.kind === "function";
}

interface SentFunctions {
  readonly n: number;
  readonly url: string;
  readonly functions: ReturnType<typeof readHead>["functions"];
}

function lastRequest(exchanges: ExchangeFold): SentFunctions | undefined {
  for (const { n, url, parent } of exchanges.rows.toReversed()) {
    if (parent !== undefined) continue;
    const { functions } = readHead(exchanges.request(n));
    if (functions.length > 0) return { n, url, functions };
  }
  return undefined;
}

/** The smallest request that declares a function. */
function bodyWith(declaration: Json): string {
  return JSON.stringify({
    contents: [{ role: "user", parts: [{ text: "Hello" }] }],
    tools: [{ functionDeclarations: [declaration] }],
  });
}

/** The same call without a stream: its refusals are easier to read. */
function unary(url: string): string {
  return url.replace(/:streamGenerateContent\b.*$/, ":generateContent");
}

/** A declaration is JSON: requests send it as it is. */
function asJson(value: unknown): Json {
  return value as Json;
}
