import { useEffect, useRef } from "preact/hooks";
import { useInspector } from "./inspector.ts";
import type { KeyBinding, KeyGroup } from "./keys.ts";

/** Binds keys for as long as a component is shown. */
export function useKeys(title: string, bindings: readonly KeyBinding[]): void {
  const { keys } = useInspector();
  const group = useRef<KeyGroup>({ title, bindings });
  group.current = { title, bindings };
  useEffect(() => keys.add(group), [keys]);
}
