import type { ButtonHTMLAttributes, ReactElement } from "react";

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement>;

/** A button with a label, or with other content. It sends a form only when its `type` says so. */
export function Button({ label, children = label, ...props }: ButtonProps & { label?: string }): ReactElement {
  return (
    <button type="button" className="plain" {...props}>
      {children}
    </button>
  );
}

/** A button without text: `label` says what it does. */
export function IconButton({ icon, label, ...props }: ButtonProps & { icon: IconName; label: string }): ReactElement {
  return (
    <Button className="icon" aria-label={label} title={label} {...props}>
      <Icon name={icon} />
    </Button>
  );
}

/** Outlines in a square of 24. */
const PATHS = {
  plus: "M12 5v14M5 12h14",
  pencil: "M4 20h4L19 9l-4-4L4 16v4ZM13 7l4 4",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "M6 6l12 12M18 6 6 18",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.5 1.5M17.5 17.5 19 19M19 5l-1.5 1.5M6.5 17.5 5 19",
  moon: "M20 14A8 8 0 1 1 10 4a6.5 6.5 0 0 0 10 10Z",
  up: "M12 19V5M6 11l6-6 6 6",
  down: "M12 5v14M6 13l6 6 6-6",
  stop: "M7 7h10v10H7z",
  clip: "M19 11l-7.5 7.5a4.5 4.5 0 0 1-6.4-6.4L13 4.3a3 3 0 0 1 4.3 4.3l-7.8 7.7a1.5 1.5 0 0 1-2.1-2.1L14 7.6",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  check: "M5 13l4 4L19 7",
  cross: "M7 7l10 10M17 7 7 17",
  again: "M20 11a8 8 0 1 0-2 6M20 5v6h-6",
  tool: "M14 6a4 4 0 0 0 5 5l-8 8a2.5 2.5 0 0 1-4-4l8-8Z",
  search: "M11 5a6 6 0 1 0 0 12 6 6 0 0 0 0-12ZM20 20l-4.5-4.5",
  chevron: "M9 6l6 6-6 6",
  hand: "M12 8v5M12 16.5v.01M12 3 2.5 20h19L12 3Z",
} as const;

type IconName = keyof typeof PATHS;

/** Decoration: it is always shown with a text or a label. */
export function Icon({ name }: { readonly name: IconName }): ReactElement {
  return (
    <svg className="glyph" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
