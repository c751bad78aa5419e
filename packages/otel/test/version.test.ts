import { readFileSync } from "node:fs";
import { Agent } from "@pollux/core";
import { say, ScriptedModel } from "@pollux/core/testing";
import { expect, test } from "vitest";
import { openTelemetry } from "../src/index.ts";
import { Sdk } from "./helpers/sdk.ts";

test("spans name the package and its version as what made them", async () => {
  const { tracerProvider, spans } = new Sdk();
  await new Agent({ model: new ScriptedModel(say("Done.")), observers: [openTelemetry({ tracerProvider })] }).run(
    "Go.",
  );
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const { name, version } = spans[0]?.instrumentationScope ?? {};
  expect(manifest).toMatchObject({ name, version });
});
