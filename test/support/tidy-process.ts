// Test files share a process: this undoes a file's changes to it, and to its clock, before the next one.
import { afterAll, vi } from "vitest";

const variables = { ...process.env };
const globals = Object.getOwnPropertyDescriptors(globalThis);
const listeners = new Map(process.eventNames().map((name) => [name, process.listeners(name as "exit")]));

afterAll(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
  for (const name of Object.keys(process.env)) if (!(name in variables)) delete process.env[name];
  Object.assign(process.env, variables);
  for (const name of Reflect.ownKeys(globalThis))
    if (!Object.hasOwn(globals, name)) Reflect.deleteProperty(globalThis, name);
  Object.defineProperties(globalThis, globals);
  for (const name of process.eventNames())
    for (const listener of process.listeners(name as "exit"))
      // Exit handlers stay, since they stop child processes.
      if (name !== "exit" && listeners.get(name)?.includes(listener) !== true) process.off(name, listener);
});
