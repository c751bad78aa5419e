import { useSignal } from "@preact/signals";
import type { Json } from "@pollux/core";
import type { JSX } from "preact";
import type { PartKind, PartView, SignatureView } from "../../../src/inspection/turn-details.ts";
import { Code, JsonCode } from "../ui/code.tsx";
import { formatBytes } from "../ui/format.ts";
import { MediaBox } from "./media-box.tsx";
import { TextPart } from "./text-part.tsx";

/** What a person calls each kind, and its tone. */
const KINDS: { readonly [kind in PartKind]: readonly [title: string, tone: string] } = {
  text: ["text", "note"],
  thought: ["thought", "violet"],
  call: ["call", "teal"],
  response: ["response", "teal"],
  "server-call": ["call, by the service", "teal"],
  "server-response": ["response, by the service", "teal"],
  code: ["code", "ok"],
  "code-result": ["code result", "ok"],
  media: ["media", "ok"],
  empty: ["empty", ""],
  unknown: ["unknown", "odd"],
};

/** The parts of a content as chips. */
export function Parts({ parts }: { readonly parts: readonly PartView[] }): JSX.Element {
  return (
    <ol class="parts stack">
      {parts.map((part) => (
        <Part key={part.index} part={part} />
      ))}
    </ol>
  );
}

function Part({ part }: { readonly part: PartView }): JSX.Element {
  const isRaw = useSignal(false);
  const { kind, index, signature, unknown = [], id, label, name } = part;
  const [title, tone] = KINDS[kind];
  return (
    <li class={`part part-${kind}`}>
      <div class="part-head">
        <span class={`chip tone-${tone}`}>{title}</span>
        <span class="part-index" title="Place in its content">
          #{index}
        </span>
        {name !== undefined && <b class="mono">{name}</b>}
        {label !== undefined && <span class="tag">{label}</span>}
        {id !== undefined && <span class="mono dim">id {id}</span>}
        {signature !== undefined && <Signature signature={signature} />}
        {unknown.map((field) => (
          <span
            key={field}
            class="chip tone-odd"
            title="This release does not know this member; it is kept and sent back as it came"
          >
            unknown: {field}
          </span>
        ))}
        <button
          type="button"
          class="quiet part-raw"
          aria-expanded={isRaw.value}
          aria-label={`Raw part ${index}`}
          onClick={() => (isRaw.value = !isRaw.value)}
        >
          Raw
        </button>
      </div>
      <PartBody part={part} />
      {isRaw.value && <JsonCode value={part.raw} label={`Part ${index}, as stored`} />}
    </li>
  );
}

function PartBody({ part }: { readonly part: PartView }): JSX.Element {
  const { kind, text, args, response, media, attached = [], citations, index, callId } = part;
  const all = media === undefined ? attached : [media, ...attached];
  return (
    <>
      {text !== undefined &&
        (kind === "code" || kind === "code-result" ? (
          <Code text={text} label={`Part ${index}`} />
        ) : (
          <TextPart text={text} citations={citations ?? []} label={`Part ${index}`} />
        ))}
      {args !== undefined &&
        (callId === undefined ? (
          <JsonCode value={args} label={`Arguments in part ${index}`} />
        ) : (
          <CallLine callId={callId} args={args} />
        ))}
      {response !== undefined && <JsonCode value={response} label={`Response in part ${index}`} />}
      {all.map((one, at) => (
        <MediaBox key={at} media={one} />
      ))}
      {kind === "unknown" && <JsonCode value={part.raw} label={`Part ${index}`} />}
    </>
  );
}

/** Goes to a call's card in the turn that is shown. */
export function showCall(callId: string): void {
  const card = document.querySelector<HTMLElement>(`[data-call="${CSS.escape(callId)}"]`);
  card?.scrollIntoView({ block: "nearest" });
  card?.focus({ preventScroll: true });
}

/** A call in one line: all of it is below, with what became of it. */
function CallLine({ callId, args }: { readonly callId: string; readonly args: Json }): JSX.Element {
  return (
    <p class="call-line">
      <code class="cut">{JSON.stringify(args).slice(0, 400)}</code>
      <button type="button" class="link mono" onClick={() => showCall(callId)}>
        {callId}
      </button>
    </p>
  );
}

function Signature({ signature }: { readonly signature: SignatureView }): JSX.Element {
  const { bytes, start, madeBy } = signature;
  return (
    <span
      class="chip chip-signature cut"
      title={`Begins with ${start}${madeBy === undefined ? "" : `\nMade by ${madeBy}`}`}
    >
      signature, {formatBytes(bytes)}
      {madeBy !== undefined && ` · ${madeBy}`}
    </span>
  );
}
