import { useSignal } from "@preact/signals";
import type { Json } from "@pollux/core";
import type { JSX } from "preact";
import type { PartKind, PartView, SignatureView } from "../../../src/inspection/turn-details.ts";
import { Code, JsonCode } from "../ui/code.tsx";
import { formatBytes } from "../ui/format.ts";
import { MediaBox } from "./media-box.tsx";
import { TextPart } from "./text-part.tsx";

const KINDS: { readonly [kind in PartKind]: string } = {
  text: "text",
  thought: "thought",
  call: "call",
  response: "response",
  "server-call": "call, by the service",
  "server-response": "response, by the service",
  code: "code",
  "code-result": "code result",
  media: "media",
  empty: "empty",
  unknown: "unknown",
};

/** The parts of a content as chips. */
export function Parts({ parts }: { readonly parts: readonly PartView[] }): JSX.Element {
  return (
    <ol class="parts">
      {parts.map((part) => (
        <Part key={part.index} part={part} />
      ))}
    </ol>
  );
}

function Part({ part }: { readonly part: PartView }): JSX.Element {
  const isRaw = useSignal(false);
  const { kind, index, signature, unknown = [], id, label, name } = part;
  return (
    <li class={`part part-${kind}`}>
      <div class="part-head">
        <span class={`chip chip-${kind}`}>{KINDS[kind]}</span>
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
            class="chip chip-unknown"
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
      <code>{JSON.stringify(args).slice(0, 400)}</code>
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
      class="chip chip-signature"
      title={`Begins with ${start}${madeBy === undefined ? "" : `\nMade by ${madeBy}`}`}
    >
      signature, {formatBytes(bytes)}
      {madeBy !== undefined && ` · ${madeBy}`}
    </span>
  );
}
