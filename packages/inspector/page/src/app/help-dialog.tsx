import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useInspector } from "./inspector.ts";

/** All keys that do something now. */
export function HelpDialog({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const { keys } = useInspector();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const groups = keys.groups.value.map(({ current }) => current).filter(({ bindings }) => bindings.length > 0);
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={onClose}>
      <div class="help-head">
        <h2 id="help-title">Keyboard shortcuts</h2>
        <button type="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
      <div class="help-groups">
        {groups.map(({ title, bindings }) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {bindings.map((binding) => (
                <div key={binding.does}>
                  <dt>
                    {binding.keys.slice(0, 2).map((key) => (
                      <kbd key={key}>{NAMES[key] ?? key}</kbd>
                    ))}
                  </dt>
                  <dd>{binding.does}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </dialog>
  );
}

const NAMES: { readonly [key: string]: string | undefined } = {
  ArrowDown: "↓",
  ArrowUp: "↑",
  ArrowLeft: "←",
  ArrowRight: "→",
  Escape: "Esc",
  " ": "Space",
};
