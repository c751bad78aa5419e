/** What a project can start as, and what people read about it. Each is a folder of `templates`. */
export const TEMPLATES = {
  terminal: "an agent in the terminal",
  web: "a chat page: React, Vite, and the agent behind HTTP",
  library: "an agent as a library in a monorepo, and a program that uses it",
} as const;

export type Template = keyof typeof TEMPLATES;

export function isTemplate(name: string): name is Template {
  return Object.hasOwn(TEMPLATES, name);
}
