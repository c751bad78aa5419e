import { useLayoutEffect, useRef } from "preact/hooks";
import { useInspector } from "./inspector.ts";
import type { KeyBinding, KeyGroup } from "./keys.ts";

/** Binds keys for as long as a component is shown. @param level - See `KeyGroup`; at least 0. */
export function useKeys(title: string, level: number, bindings: readonly KeyBinding[]): void {
  const { keys } = useInspector();
  const group = useRef<KeyGroup>({ title, level, bindings });
  group.current = { title, level, bindings };
  useLayoutEffect(() => keys.add(group), [keys]);
}
