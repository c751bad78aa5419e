export const TEMPLATE_NAMES = ["terminal", "web", "library"] as const;

/** What a project can start as: a folder of `templates`. */
export type Template = (typeof TEMPLATE_NAMES)[number];

/** Texts about each template, for people. */
export const TEMPLATES: Readonly<Record<Template, { readonly label: string; readonly summary: string }>> = {
  terminal: { label: "Terminal agent", summary: "a chat in the terminal" },
  web: { label: "Web chat", summary: "a chat page with React, and its server" },
  library: { label: "Library in a monorepo", summary: "an agent as a package, and a program that uses it" },
};

export function isTemplate(name: string): name is Template {
  return TEMPLATE_NAMES.some((known) => known === name);
}
