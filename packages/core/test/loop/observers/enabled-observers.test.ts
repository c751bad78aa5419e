import { Agent } from "@pollux/core";
import { type Observer, observeAllRuns } from "@pollux/core/observers";
import { say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { faces } from "../../helpers/faces.ts";

/** An observer with all functions, and the names of those that were called. */
function counted(isEnabled: () => boolean): { readonly observer: Observer; readonly called: Set<string> } {
  const called = new Set<string>();
  const observer: Observer = {
    isEnabled,
    observe: () => void called.add("observe"),
    around: (_step, next) => {
      called.add("around");
      return next();
    },
    traceparent: () => void called.add("traceparent"),
    capture: () => void called.add("capture"),
  };
  return { observer, called };
}

const ALL = new Set(["capture", "observe", "traceparent", "around"]);

describe.each(faces)("an observer that says whether it is enabled, by %s", (_face, read) => {
  test.each<[string, () => boolean, Set<string>]>([
    ["says no", () => false, new Set()],
    ["says yes", () => true, ALL],
    [
      "fails",
      () => {
        throw new Error("mine");
      },
      ALL,
    ],
  ])("is called accordingly when it %s", async (_what, isEnabled, expected) => {
    const own = counted(isEnabled);
    const shared = counted(isEnabled);
    const stop = observeAllRuns(shared.observer);
    try {
      await read(new Agent({ model: new ScriptedModel(say("Done.")), observers: [own.observer] }), "Go.");
    } finally {
      stop();
    }
    expect(own.called).toEqual(expected);
    expect(shared.called).toEqual(expected);
  });

  test("is asked for each run, and takes nothing from the others", async () => {
    let enabled = false;
    const first = counted(() => enabled);
    const second = counted(() => true);
    const agent = new Agent({
      model: new ScriptedModel(say("One."), say("Two.")),
      observers: [first.observer, second.observer],
    });
    await read(agent, "Go.");
    expect([first.called.size, second.called.size]).toEqual([0, 4]);
    enabled = true;
    await read(agent, "Go.");
    expect(first.called.size).toBe(4);
  });
});
