import { useEffect, useState } from "preact/hooks";
import { useInspector } from "./inspector.ts";
import type { Load } from "./loads.ts";

/**
 * Loads what a component shows.
 *
 * @param parts - What it is, and in which version.
 * @param slot - What it is in any version: while a newer version loads, the older one stays.
 */
export function useLoad<T>(parts: readonly unknown[], load: () => Promise<T>, slot?: string): Load<T> {
  const { loads } = useInspector().open.value;
  const key = JSON.stringify(parts);
  const [shown, show] = useState<{ readonly slot?: string; readonly key: string; readonly load: Load<T> }>();
  useEffect(() => {
    let isShown = true;
    loads.fetch(key, load).then(
      (value) => isShown && show({ key, load: { value }, ...(slot !== undefined && { slot }) }),
      (error: Error) => isShown && show({ key, load: { error }, ...(slot !== undefined && { slot }) }),
    );
    return () => {
      isShown = false;
    };
  }, [loads, key]);
  if (shown?.key === key) return shown.load;
  const known = loads.peek<T>(key);
  if (known?.value !== undefined) return known;
  return shown !== undefined && shown.slot === slot && slot !== undefined ? shown.load : {};
}
