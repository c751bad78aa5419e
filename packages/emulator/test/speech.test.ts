import type { GenerateContentResponse } from "@pollux/core/wire";
import { expect, test } from "vitest";
import { createEmulator } from "../src/index.ts";
import { improvise } from "../src/improvise.ts";
import { ask, partsOf, streamed, unary } from "./support.ts";

const TTS = "gemini-3.8-flash-tts";
const MIME_TYPE = "audio/L16;codec=pcm;rate=24000";
const DIALOG = "Read this:\nJoe: Hi there, Jane!\nJane: Hello.\nJoe: How are you?";

const emulator = createEmulator({ brain: improvise() });
const voice = (speaker: string, voiceName: string) => ({
  speaker,
  voiceConfig: { prebuiltVoiceConfig: { voiceName } },
});
const speak = (prompt: string, speechConfig?: object) =>
  ask(prompt, { generationConfig: { responseModalities: ["AUDIO"], ...(speechConfig && { speechConfig }) } });

function soundOf(...chunks: readonly GenerateContentResponse[]): Buffer {
  return Buffer.concat(
    partsOf(...chunks).map(({ inlineData }) => {
      expect(inlineData?.mimeType).toBe(MIME_TYPE);
      return Buffer.from(inlineData?.data ?? "", "base64");
    }),
  );
}

/** The pitch in each stretch of one pitch, in hertz, by the samples between two rises through zero. */
function pitchesIn(sound: Buffer): number[] {
  const rises: number[] = [];
  for (let at = 2; at < sound.length; at += 2)
    if (sound.readInt16LE(at - 2) < 0 && sound.readInt16LE(at) >= 0) rises.push(at / 2);
  const pitches = rises.slice(1).map((at, index) => Math.round(24_000 / (at - (rises[index] ?? 0)) / 10) * 10);
  return pitches.filter((pitch, index) => pitch !== pitches[index - 1] && pitch === pitches[index + 1]);
}

test("a model that speaks answers with samples as long as the text, and counts them as sound", async () => {
  const answer = await unary(emulator, speak("Hello, welcome!"), TTS);
  const sound = soundOf(answer);
  expect(partsOf(answer)).toHaveLength(1);
  // As many tokens as were recorded for this text.
  expect(answer.usageMetadata).toMatchObject({
    candidatesTokenCount: 38,
    candidatesTokensDetails: [{ modality: "AUDIO", tokenCount: 38 }],
  });
  expect(sound.length / 48_000).toBe(1.5);
  expect(Math.max(...new Int16Array(sound.buffer, sound.byteOffset, sound.length / 2))).toBe(900);
  expect(soundOf(await unary(emulator, speak("Hello, welcome!"), TTS)).equals(sound)).toBe(true);
  expect(soundOf(await unary(emulator, speak("Hello, welcome! ".repeat(500)), TTS)).length).toBeLessThan(3_000_000);
});

test("a stream brings the same sound in many chunks, each with padding of its own", async () => {
  const chunks = await streamed(emulator, speak("Hello, welcome!"), TTS);
  expect(chunks.length).toBeGreaterThan(5);
  expect(partsOf(chunks[0] ?? {})[0]?.inlineData?.data).toMatch(/=$/);
  const whole = await unary(emulator, speak("Hello, welcome!"), TTS);
  expect(soundOf(...chunks).equals(soundOf(whole))).toBe(true);
  expect(chunks.at(-1)?.usageMetadata).toEqual(whole.usageMetadata);
  const counts = chunks.map(({ usageMetadata }) => usageMetadata?.candidatesTokenCount ?? 0);
  expect(counts).toEqual(counts.toSorted((a, b) => a - b));
});

test.each([
  ["camelCase", { multiSpeakerVoiceConfig: { speakerVoiceConfigs: [voice("Joe", "Kore"), voice("Jane", "Puck")] } }],
  ["snake_case", { multi_speaker_voice_config: { speaker_voice_configs: [{ speaker: "Joe" }, { speaker: "Jane" }] } }],
])("two speakers take turns, each in a pitch of their own (%s)", async (_, speechConfig) => {
  const sound = soundOf(await unary(emulator, speak(DIALOG, speechConfig), TTS));
  expect(pitchesIn(sound)).toEqual([180, 270, 180]);
});
