import { useSignal } from "@preact/signals";
import type { Json } from "@pollux/core";
import type { JSX, ComponentChildren } from "preact";
import type {
  PartKind,
  PartView,
  SignatureView,
  MediaRef,
  MediaView,
  CitationView,
} from "../../../src/inspection/turn-details.ts";
import { Code, JsonCode } from "../ui/code.tsx";
import { formatBytes } from "../ui/format.ts";
import { Button, CopyButton } from "../acting/parts.tsx";
import { useLoad } from "../app/inspector.ts";
import { useSession } from "../session/session-model.ts";
import { TextView } from "../ui/text-view.tsx";

/** Label and tone of each kind. */
const KINDS: { readonly [kind in PartKind]: readonly [title: string, tone: string] } = {
  text: ["text", "note"],
  thought: ["thought", "violet"],
  call: ["call", "teal"],
  response: ["response", "teal"],
  "server-call": ["service call", "teal"],
  "server-response": ["service response", "teal"],
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
    <li class={`part part-${kind} stack is-tight`}>
      <div class="row">
        <span class={`chip tone-${tone}`}>{title}</span>
        <span class="small" title="Index in its content">
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
            title="This release does not know this member, and sends it back unchanged"
          >
            unknown: {field}
          </span>
        ))}
        <Button
          say="Raw"
          class="quiet to-end"
          aria-expanded={isRaw.value}
          aria-label={`Raw part ${index}`}
          onClick={() => (isRaw.value = !isRaw.value)}
        />
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

/** Moves to a call's card in the current turn. */
export function showCall(callId: string): void {
  const card = document.querySelector<HTMLElement>(`[data-call="${CSS.escape(callId)}"]`);
  card?.scrollIntoView({ block: "nearest" });
  card?.focus({ preventScroll: true });
}

/** A call in one line, with a link to its card. */
function CallLine({ callId, args }: { readonly callId: string; readonly args: Json }): JSX.Element {
  return (
    <p class="call-line row">
      <code class="cut">{JSON.stringify(args).slice(0, 400)}</code>
      <Button say={callId} class="link mono" onClick={() => showCall(callId)} />
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

/** An image, a sound, a video or a document. */
export function MediaBox({ media }: { readonly media: MediaView }): JSX.Element {
  const { mimeType, bytes, uri, name, ref } = media;
  return (
    <figure class="media">
      {ref !== undefined && <Inline media={media} place={ref} />}
      <figcaption class="wrap dim">
        <span class="mono">{mimeType === "" ? "no type" : mimeType}</span>
        {bytes !== undefined && <span>{formatBytes(bytes)}</span>}
        {name !== undefined && <span>{name}</span>}
        {uri !== undefined && <span class="mono">{uri}</span>}
      </figcaption>
    </figure>
  );
}

function Inline({ media, place }: { readonly media: MediaView; readonly place: MediaRef }): JSX.Element {
  const { source, id } = useSession();
  const { value: address, error } = useLoad(["media", id, place], () => source.media(id, place));
  const { mimeType } = media;
  if (error !== undefined) return <p class="dim">{error.message}</p>;
  if (address === undefined) return <span />;
  if (/^image\/(?!svg)/.test(mimeType))
    return <img src={address} alt={media.name ?? `Image, ${mimeType}`} loading="lazy" decoding="async" />;
  if (mimeType.startsWith("audio/"))
    return <audio src={address} controls preload="none" aria-label={media.name ?? `Audio, ${mimeType}`} />;
  if (mimeType.startsWith("video/"))
    return <video src={address} controls preload="none" aria-label={media.name ?? `Video, ${mimeType}`} />;
  return (
    <a href={address} download={media.name ?? "media"}>
      Download
    </a>
  );
}

/** Longest text to show in full at first. */
const SHORT = 6000;

interface TextPartProps {
  readonly text: string;
  readonly citations: readonly CitationView[];
  readonly label: string;
}

/** A text with its citations. */
export function TextPart({ text, citations, label }: TextPartProps): JSX.Element {
  const isWhole = useSignal(false);
  const isLong = text.length > SHORT;
  if (text === "") return <p class="dim">The text is empty.</p>;
  return (
    <div class="text">
      {isLong && isWhole.value ? (
        <TextView text={text} label={label} isJson={false} />
      ) : (
        <p class="text-body">{citedText(text, citations, isLong ? SHORT : text.length)}</p>
      )}
      {isLong && (
        <Button
          say={isWhole.value ? "Show less" : `Show all (${formatBytes(text.length)})`}
          class="more"
          onClick={() => (isWhole.value = !isWhole.value)}
        />
      )}
      <div class="code-tools">
        <CopyButton text={text} what={label} />
      </div>
    </div>
  );
}

/** Cuts a text at the starts and ends of citations; nested citations have the sources of both. */
function citedText(text: string, citations: readonly CitationView[], length: number): ComponentChildren {
  const cuts = new Set([0, length]);
  for (const { start, end } of citations) for (const at of [start, end]) if (at > 0 && at < length) cuts.add(at);
  const places = [...cuts].toSorted((a, b) => a - b);
  return places.slice(0, -1).map((start, index) => {
    const end = places[index + 1] ?? length;
    const covering = citations.filter((one) => one.start <= start && one.end >= end);
    const piece = text.slice(start, end);
    if (covering.length === 0) return piece;
    const ending = covering.filter((one) => one.end === end).flatMap(({ sources }) => sources);
    return (
      <span key={start}>
        <mark class="cited">{piece}</mark>
        {[...new Set(ending)].map((source) => (
          <Button
            say={source}
            key={source}

            class="cite"
            aria-label={`Source ${source}`}
            onClick={() => showSource(source)}
          />
        ))}
      </span>
    );
  });
}

function showSource(number: number): void {
  const element = document.querySelector<HTMLElement>(`#source-${number}`);
  element?.scrollIntoView({ block: "nearest" });
  element?.focus({ preventScroll: true });
}
