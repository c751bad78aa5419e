import { setImmediate } from "node:timers/promises";
import { act, type ReactElement } from "react";
import { createRoot } from "react-dom/client";
import { onTestFinished } from "vitest";

/** Something of React in the document of the test; removed when the test ends. */
export interface Rendered {
  readonly element: HTMLElement;
  readonly again: (element: ReactElement) => Promise<void>;
  readonly unmount: () => Promise<void>;
}

export async function render(what: ReactElement): Promise<Rendered> {
  // As React asks for in tests.
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
  const element = document.createElement("div");
  document.body.append(element);
  const root = createRoot(element);
  const again = async (next: ReactElement): Promise<void> => await act(async () => root.render(next));
  const unmount = async (): Promise<void> => await act(async () => root.unmount());
  await again(what);
  onTestFinished(async () => {
    await unmount();
    element.remove();
  });
  return { element, again, unmount };
}

/** Lets React work until something is so, also while the clock stands. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await act(async () => await setImmediate());
}
