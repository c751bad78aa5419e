import { Agent, AgentError, type RunResult, runSoFar } from "@pollux/core";
import type { Fault } from "@pollux/emulator";
import { afterAll, describe, expect, test } from "vitest";
import { SESSION_FACES, type SessionFace } from "../../packages/core/test/session/session-faces.ts";
import { CATALOG } from "../support/fault-catalog.ts";
import { inMadeUpTime, SILENCE_MS } from "../support/made-up-time.ts";
import { openWorld, refusals } from "../support/world.ts";
import { EffectsList } from "./support/effects.ts";
import { answerUnknown, illegal, problemsOfErrand } from "./support/end-of-errand.ts";
import { errandBrain } from "./support/errand-brain.ts";
import { DONE, errandTools, GO, LONG } from "./support/errand.ts";
import { Tally } from "./support/tally.ts";

const ERRAND = LONG;
const REQUESTS = ERRAND.length + 1;

const tally = new Tally(`faults of the network, at each of ${REQUESTS} requests`, [
  "runs",
  "right at once",
  "other end",
  "typed error",
  "resumed",
  "sent on",
  "lost",
  "doubled",
  "untyped",
]);

afterAll(() => tally.print());

/** How long a fault lasts: one request, or until the run has ended. */
const LENGTHS = ["once", "on and on"] as const;

describe.each(SESSION_FACES.map(([name, face], index) => [name, face, index] as const))(
  "%s",
  (name, face, faceIndex) => {
    test.each(LENGTHS)(
      "a run with any fault, %s, ends well or with a typed error, and can be continued",
      async (length) => {
        const problems: string[] = [];
        const row = `${name}, ${length}`;
        for (const [faultIndex, [faultName, fault]] of Object.entries(CATALOG).entries()) {
          // Both faces run the same loop, so each face gets every other combination of fault and request.
          for (
            let at = 1 + ((faultIndex + faceIndex) % SESSION_FACES.length);
            at <= REQUESTS;
            at += SESSION_FACES.length
          ) {
            problems.push(
              ...tally.found(row, `${faultName} at request ${at}`, await oneRun(face, fault, at, length, row)),
            );
          }
        }
        expect(problems).toEqual([]);
      },
    );
  },
);

async function oneRun(
  face: SessionFace,
  fault: Fault,
  at: number,
  length: (typeof LENGTHS)[number],
  row: string,
): Promise<readonly string[]> {
  let healed = false;
  const during = ({ number }: { readonly number: number }): boolean =>
    !healed && (length === "once" ? number === at : number >= at);
  await using world = await openWorld({
    brain: errandBrain(ERRAND),
    faults: [{ at: during, fault }],
    largeSignatures: false,
  });
  const model = world.model(undefined, {
    timeouts: { firstByteMs: SILENCE_MS, idleMs: SILENCE_MS, totalMs: Number.POSITIVE_INFINITY },
    retry: { maxAttempts: 3, minDelayMs: 1, maxDelayMs: 2 },
  });
  const effects = new EffectsList();
  const session = new Agent({ model, tools: errandTools(effects, 0) }).session();
  const problems: string[] = [];
  tally.count(row, "runs");

  let result: RunResult<unknown>;
  try {
    result = await inMadeUpTime(world.takeSilence, () => face.send(session, GO));
    healed = true;
    tally.count(row, result.stopReason === "finished" ? "right at once" : "other end");
  } catch (error) {
    healed = true;
    problems.push(...problemsOfError(error, at));
    tally.count(row, "typed error");
    tally.count(row, "resumed");
    result = await face.resume(session);
  }
  result = await answerUnknown(session, result as RunResult, effects.all);
  // The model stops early: the run is over, and the next message continues from its history.
  if (result.stopReason !== "finished") {
    const { resumable } = await session.state();
    tally.count(row, resumable ? "resumed" : "sent on");
    result = await (resumable ? face.resume(session, { limits: { turns: 99 } }) : face.send(session, "Go on."));
  }

  if (result.stopReason !== "finished" || result.text !== DONE) {
    problems.push(`lost: ended with ${result.stopReason}: ${result.text}`);
  }
  problems.push(...problemsOfErrand(ERRAND, await session.history(), effects.all));
  const refused = refusals(world.emulator).filter(({ rule }) => rule !== fault.rule);
  if (refused.length > 0) problems.push(`untyped: the service refused ${JSON.stringify(refused)}`);
  return problems;
}

/** A failure must be one of our errors, with all finished work. */
function problemsOfError(error: unknown, at: number): readonly string[] {
  if (!(error instanceof AgentError)) return [`untyped: failed with ${String(error)}`];
  const kept = runSoFar(error)?.contents ?? [];
  const problem = illegal(kept);
  if (problem !== undefined) return [`lost: ${problem}`];
  // The message, and two contents per answered request.
  return kept.length < 2 * at - 1 ? [`lost: the error of request ${at} carries ${kept.length} contents`] : [];
}
