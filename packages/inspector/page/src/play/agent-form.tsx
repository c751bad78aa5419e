import type { JSX } from "preact";
import type { PlayAgent } from "../../../src/play/play.ts";
import { CheckList, Field, InputField, SelectField, TextArea } from "../acting/parts.tsx";
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
      <InputField label="Model" value={form.model} onChange={(model) => set({ model })} />
      <Field
        label="Instructions"
        hint={isMade ? "A function makes them for each run; a text here replaces it." : undefined}
      >
        <TextArea value={form.instructions} onChange={(instructions) => set({ instructions })} rows={5} />
      </Field>
      <div class="form-row wrap">
        <InputField
          label="Temperature"
          type="number"
          min={0}
          max={2}
          step={0.1}
          placeholder={own("temperature")}
          value={form.temperature}
          onChange={(temperature) => set({ temperature })}
        />
        <InputField
          label="Max output tokens"
          type="number"
          min={1}
          placeholder={own("maxOutputTokens")}
          value={form.maxOutputTokens}
          onChange={(maxOutputTokens) => set({ maxOutputTokens })}
        />
        <SelectField
          label="Thinking"
          value={form.thinking}
          onChange={(thinking) => set({ thinking })}
          options={[
            ["", `as the code says${own("thinking") === undefined ? "" : `: ${own("thinking")}`}`],
            ...THINKING.map((level) => [level, level] as const),
          ]}
        />
      </div>
      <CheckList
        legend="Tools"
        names={agent.tools.map(({ name }) => name)}
        ticked={form.tools}
        onChange={(tools) => set({ tools })}
      />
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
