import type { ReactElement } from "react";

/** A value of a tool as a list of its fields. */
export function ToolFields({ title, value }: { readonly title: string; readonly value: unknown }): ReactElement | null {
  if (value === undefined || value === null) return null;
  const isSingle = typeof value !== "object" || Array.isArray(value);
  const fields = isSingle ? ([["value", value]] as const) : Object.entries(value);
  if (fields.length === 0) return null;
  return (
    <div className="fields">
      <span className="fields-title">{title}</span>
      <dl>
        {fields.map(([name, one]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{typeof one === "string" ? one : <code>{JSON.stringify(one, null, 1)}</code>}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

/** The members of a value; none for one that is not an object. */
export function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
