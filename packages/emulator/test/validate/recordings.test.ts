import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { findModel } from "../../src/catalog/models.ts";
import { validateRequest } from "../../src/validate/contract.ts";

const FOLDER = resolve(import.meta.dirname, "../../../../../shared/recordings");

interface Exchange {
  readonly model?: string | null;
  readonly status: number;
  readonly request?: unknown;
}

interface Recording {
  readonly file: string;
  readonly api: string;
  readonly exchanges: readonly Exchange[];
}

function recordings(): Recording[] {
  return readdirSync(FOLDER, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".json"))
    .map((name) => ({
      file: name,
      ...(JSON.parse(readFileSync(join(FOLDER, name), "utf8")) as Omit<Recording, "file">),
    }));
}

/** Placeholders that stand for signatures in some recordings are no base64; the service saw other text. */
function restoreSignatures(body: string): string {
  return body.replaceAll(/"signature_REDACTED_\d+"/g, '"c2lnbmF0dXJl"');
}

function judge(api: string, exchange: Exchange): string | undefined {
  const vertex = api === "vertex";
  const base = vertex ? "/v1beta1/projects/p/locations/global/publishers/google" : "/v1beta";
  const verdict = validateRequest(
    {
      method: "POST",
      url: new URL(`http://localhost${base}/models/${exchange.model}:generateContent`),
      headers: new Headers({ "x-goog-api-key": "key" }),
      body: restoreSignatures(JSON.stringify(exchange.request)),
    },
    { profile: vertex ? "vertex" : "developer", signatures: { check: () => "issued" } },
  );
  if (verdict.ok) return undefined;
  const { error } = JSON.parse(verdict.refusal.body) as { error: { message: string } };
  return `${verdict.refusal.rule} ${error.message}`;
}

describe.skipIf(!existsSync(FOLDER))("recorded requests (skipped where the recordings are absent)", () => {
  test("what the service answered with 200 is accepted", () => {
    const failures: string[] = [];
    let judged = 0;
    for (const { file, api, exchanges } of recordings()) {
      for (const exchange of exchanges) {
        const known = exchange.status === 200 && exchange.request && exchange.model && findModel(exchange.model);
        if (!known) continue;
        judged += 1;
        const failure = judge(api, exchange);
        if (failure) failures.push(`${file} ${exchange.model}: ${failure}`);
      }
    }
    const share = (judged - failures.length) / judged;
    console.info(
      `accepted ${judged - failures.length} of ${judged} recorded requests (${(share * 100).toFixed(2)}%)\n${failures.join("\n")}`,
    );
    expect(judged).toBeGreaterThan(500);
    expect(share, failures.join("\n")).toBeGreaterThanOrEqual(0.97);
  });
});
