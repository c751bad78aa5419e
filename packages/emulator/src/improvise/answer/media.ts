import type { Part } from "@pollux/core/wire";

const PNG_16_BY_16 =
  "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAABlklEQVR42hXR4RiFMQiG4Q9hCEMIYQghhDCEEIbwIIQQQgghDOHs9Lu7662+72N8zA/5WB/6YR/7wz/OBx/xkR/10R/34/sGYzAHMlgDHdhgD3xwBgxikIMa9OCOByZjMicyWROd2GRPfHImTGKSk5r05M4HhCFMQYQlqGDCFlw4AkIIKZTQwpUHFmMxF7JYC13YYi98cRYsYpGLWvTirgeUoUxFlKWoYspWXDkKSiiplNLK1QeMYUxDjGWoYcY23DgGRhhplNHGtQc2YzM3slkb3dhmb3xzNmxik5va9ObuB5zhTEec5ahjznbcOQ5OOOmU0871Bw7jMA9yWAc92GEf/HAOHOKQhzr04Z4H/s95534HfCd5S77YL8gb/Zr/FZBQ0HDf679gBDOQYAUaWLADD0782yPIoIIObjyQjGQmkqxEE0t24snJ//BIMqmkk5sPFKOYhRSr0MKKXXhx6h8liiyq6OLWA81oZiPNarSxZjfenP4Hjyabarq5/cBlXOZFLuuiF7vsi1/O/a8Zl7zUpS/38gNq4ZAQAX6pcwAAAABJRU5ErkJggg==";

const SAMPLES_PER_SECOND = 24_000;

/** A real image, 16 by 16 pixels. */
export function imagePart(): Part {
  return { inlineData: { mimeType: "image/png", data: PNG_16_BY_16 } };
}

/** A tenth of a second of silence, as raw 16-bit samples. */
export function audioPart(): Part {
  const silence = Buffer.alloc((SAMPLES_PER_SECOND / 10) * 2);
  return {
    inlineData: { mimeType: `audio/L16;codec=pcm;rate=${SAMPLES_PER_SECOND}`, data: silence.toString("base64") },
  };
}
