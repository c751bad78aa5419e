import { useEffect, useState } from "preact/hooks";

/** The same as in the styles. */
const NARROW = "(width < 700px)";

/** True on a phone: rows are high enough for a finger. */
export function useNarrow(): boolean {
  const [isNarrow, setNarrow] = useState(() => matchMedia(NARROW).matches);
  useEffect(() => {
    const media = matchMedia(NARROW);
    const change = (): void => setNarrow(media.matches);
    media.addEventListener("change", change);
    return () => media.removeEventListener("change", change);
  }, []);
  return isNarrow;
}
