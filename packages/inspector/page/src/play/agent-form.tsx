import type { JSX } from "preact";
import type { PlayAgent } from "../../../src/play/play.ts";
import { Field, TextArea } from "../acting/parts.tsx";
import type { PlayForm } from "./changes-code.ts";

const THINKING = ["off", "minimal", "low", "medium", "high", "xhigh"];

/** An agent as its code has it, to change for the next message. */
export function AgentForm({
  agent,
  form,
  onChange,
}: {
  readonly agent: PlayAgent;
  readonly form: PlayForm;
  readonly onChange: (form: PlayForm) => void;
}): JSX.Element {
  const set = (change: Partial<PlayForm>): void => onChange({ ...form, ...change });
  const own = (name: string): string | undefined =>
    agent.settings[name] === undefined ? undefined : JSON.stringify(agent.settings[name]);
  const isMade = agent.made.includes("instructions");
  return (
    <>
      <Field label="Model">
        <input type="text" value={form.model} onInput={({ currentTarget }) => set({ model: currentTarget.value })} />
      </Field>
      <Field
        label="Instructions"
        hint={isMade ? "A function makes them for each run; a text here replaces it." : undefined}
      >
        <TextArea value={form.instructions} onChange={(instructions) => set({ instructions })} rows={5} />
      </Field>
      <div class="form-row">
        <Field label="Temperature">
          <input
            type="number"
            min={0}
            max={2}
            step={0.1}
            placeholder={own("temperature")}
            value={form.temperature}
            onInput={({ currentTarget }) => set({ temperature: currentTarget.value })}
          />
        </Field>
        <Field label="Max output tokens">
          <input
            type="number"
            min={1}
            placeholder={own("maxOutputTokens")}
            value={form.maxOutputTokens}
            onInput={({ currentTarget }) => set({ maxOutputTokens: currentTarget.value })}
          />
        </Field>
        <Field label="Thinking">
          <select value={form.thinking} onChange={({ currentTarget }) => set({ thinking: currentTarget.value })}>
            <option value="">as the code says{own("thinking") !== undefined && `: ${own("thinking")}`}</option>
            {THINKING.map((level) => (
              <option key={level}>{level}</option>
            ))}
          </select>
        </Field>
      </div>
      {agent.tools.length > 0 && (
        <fieldset class="checks">
          <legend>Tools</legend>
          {agent.tools.map(({ name }) => (
            <label key={name}>
              <input
                type="checkbox"
                checked={form.tools.includes(name)}
                onChange={({ currentTarget }) =>
                  set({
                    tools: agent.tools
                      .map((tool) => tool.name)
                      .filter((one) => (one === name ? currentTarget.checked : form.tools.includes(one))),
                  })
                }
              />{" "}
              <code>{name}</code>
            </label>
          ))}
        </fieldset>
      )}
      {agent.made.includes("tools") && <p class="dim">A function gives it tools for each run.</p>}
      <details>
        <summary>More settings, and the context</summary>
        <Field label="More settings, as JSON">
          <TextArea
            value={form.settings}
            onChange={(settings) => set({ settings })}
            isCode
            placeholder='{"topP": 0.9}'
          />
        </Field>
        <Field label="Context of the run, as JSON" hint="What tools and hooks get as context. It is not stored.">
          <TextArea value={form.context} onChange={(context) => set({ context })} isCode />
        </Field>
      </details>
    </>
  );
}
