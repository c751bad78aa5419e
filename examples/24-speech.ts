// A model that speaks: one voice, two voices, while it streams, and as files.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { connect } from "@pollux/cli";
import { Agent, OutputAudio } from "@pollux/core";
import { saveAudio } from "@pollux/core/node";

await using connection = await connect();
const { endpoint } = connection;
const model = "gemini-3.8-flash-tts";
const voice = (voiceName: string) => ({ prebuiltVoiceConfig: { voiceName } });

const announcer = new Agent({ model, endpoint, settings: { speechConfig: { voiceConfig: voice("Kore") } } });
const result = await announcer.run("Say calmly: The train to Oslo leaves from platform two.");
for (const { rate, channels, durationMs } of result.audio)
  console.log(`one voice: ${durationMs} ms at ${rate} Hz, ${channels} channel`);

const dialog = new Agent({
  model,
  endpoint,
  settings: {
    speechConfig: {
      multiSpeakerVoiceConfig: {
        speakerVoiceConfigs: [
          { speaker: "Joe", voiceConfig: voice("Kore") },
          { speaker: "Jane", voiceConfig: voice("Puck") },
        ],
      },
    },
  },
});
const stream = dialog.stream("Read this conversation:\nJoe: Is this seat free?\nJane: It is. Are you going far?");
let played = 0;
for await (const event of stream) {
  if (event.type !== "part" || event.part.inlineData === undefined) continue;
  const { mimeType, data } = event.part.inlineData;
  // Where a program with a loudspeaker plays it.
  played += new OutputAudio({ mimeType, pieces: [data] }).bytes.length;
}
const { audio } = await stream.result();
console.log(`two voices: ${played} bytes in ${audio[0]?.pieces.length} pieces, one sound`);

const folder = await mkdtemp(join(tmpdir(), "pollux-speech-"));
const paths = await saveAudio([...result.audio, ...audio], folder);
console.log(`saved: ${paths.map((path) => basename(path)).join(", ")}`);
await rm(folder, { recursive: true });
