import type { Part, SpeechConfig } from "@pollux/core/wire";

const PNG_16_BY_16 =
  "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAABlklEQVR42hXR4RiFMQiG4Q9hCEMIYQghhDCEEIbwIIQQQgghDOHs9Lu7662+72N8zA/5WB/6YR/7wz/OBx/xkR/10R/34/sGYzAHMlgDHdhgD3xwBgxikIMa9OCOByZjMicyWROd2GRPfHImTGKSk5r05M4HhCFMQYQlqGDCFlw4AkIIKZTQwpUHFmMxF7JYC13YYi98cRYsYpGLWvTirgeUoUxFlKWoYspWXDkKSiiplNLK1QeMYUxDjGWoYcY23DgGRhhplNHGtQc2YzM3slkb3dhmb3xzNmxik5va9ObuB5zhTEec5ahjznbcOQ5OOOmU0871Bw7jMA9yWAc92GEf/HAOHOKQhzr04Z4H/s95534HfCd5S77YL8gb/Zr/FZBQ0HDf679gBDOQYAUaWLADD0782yPIoIIObjyQjGQmkqxEE0t24snJ//BIMqmkk5sPFKOYhRSr0MKKXXhx6h8liiyq6OLWA81oZiPNarSxZjfenP4Hjyabarq5/cBlXOZFLuuiF7vsi1/O/a8Zl7zUpS/38gNq4ZAQAX6pcwAAAABJRU5ErkJggg==";

/** A real image, 16 by 16 pixels. */
export function imagePart(): Part {
  return { inlineData: { mimeType: "image/png", data: PNG_16_BY_16 } };
}

const RATE = 24_000;
/** A hum lasts about as long as the service would speak, and less than a minute. */
const [LINE_MS, LETTER_MS, MAX_LETTERS] = [450, 70, 800];

/** The prompt as a quiet hum of raw samples. With several speakers, each hums the lines with their name at a pitch of their own. */
export function speechPart(prompt: string, config: SpeechConfig | undefined): Part {
  const speakers = (config?.multiSpeakerVoiceConfig?.speakerVoiceConfigs ?? []).map(({ speaker }) => `${speaker}:`);
  const text = prompt.slice(0, MAX_LETTERS);
  const lines = text.split("\n").flatMap((line) => {
    const speaker = speakers.findIndex((name) => line.trimStart().startsWith(name));
    return speaker === -1 ? [] : [hum(speaker, line.trim().length - (speakers[speaker]?.length ?? 0))];
  });
  const data = Buffer.concat(lines.length > 0 ? lines : [hum(0, text.length)]).toString("base64");
  return { inlineData: { mimeType: `audio/L16;codec=pcm;rate=${RATE}`, data } };
}

function hum(speaker: number, letters: number): Buffer {
  const samples = Buffer.alloc((((LINE_MS + LETTER_MS * letters) * RATE) / 1000) * 2);
  const step = (2 * Math.PI * (180 + 90 * speaker)) / RATE;
  for (let at = 0; at < samples.length; at += 2) samples.writeInt16LE(Math.round(900 * Math.sin((step * at) / 2)), at);
  return samples;
}
