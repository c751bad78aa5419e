import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

const NEAR = 80;

export interface StickToEnd {
  readonly ref: RefObject<HTMLDivElement | null>;
  readonly isAtEnd: boolean;
  /** Goes there, and stays there. */
  readonly toEnd: () => void;
}

/** Keeps the end of a growing list in view, unless the reader has scrolled away from it. */
export function useStickToEnd(content: readonly unknown[]): StickToEnd {
  const ref = useRef<HTMLDivElement>(null);
  const isStuck = useRef(true);
  const [isAtEnd, setAtEnd] = useState(true);

  const follow = useCallback(() => {
    const { current } = ref;
    if (current !== null && isStuck.current) current.scrollTop = current.scrollHeight;
  }, []);
  useLayoutEffect(follow, [follow, ...content]);
  useEffect(() => {
    const { current } = ref;
    if (current === null) return;
    const onScroll = (): void => {
      const isNear = current.scrollHeight - current.scrollTop - current.clientHeight < NEAR;
      isStuck.current = isNear;
      setAtEnd(isNear);
    };
    current.addEventListener("scroll", onScroll, { passive: true });
    // Images and frames grow after they are there.
    const observer = new ResizeObserver(follow);
    observer.observe(current);
    if (current.firstElementChild !== null) observer.observe(current.firstElementChild);
    return () => {
      current.removeEventListener("scroll", onScroll);
      observer.disconnect();
    };
  }, [follow]);

  const toEnd = useCallback(() => {
    isStuck.current = true;
    setAtEnd(true);
    follow();
  }, [follow]);
  return { ref, isAtEnd, toEnd };
}
