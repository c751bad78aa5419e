/**
 * Commands like the ones in a gateway's documentation, for a shell with `COMETAPI_KEY` set. They omit roles, and use snake case for
 * search and camel case for everything else.
 *
 * @see https://apidoc.cometapi.com/gemini-generating-content
 */
export const COMMANDS: Readonly<Record<string, string>> = {
  "text, with Google's header": `curl "https://api.cometapi.com/v1beta/models/gemini-3-flash-preview:generateContent" \\
  -H "Content-Type: application/json" \\
  -H "x-goog-api-key: $COMETAPI_KEY" \\
  -d '{ "contents": [{ "parts": [{ "text": "What is rain?" }] }] }'`,

  "text, with a Bearer header": `curl "https://api.cometapi.com/v1beta/models/gemini-3-flash-preview:generateContent" \\
  -H "Content-Type: application/json" \\
  -H "Authorization: Bearer $COMETAPI_KEY" \\
  -d '{ "contents": [{ "parts": [{ "text": "What is rain?" }] }] }'`,

  "text, with the key alone in the header": `curl --location --request POST "https://api.cometapi.com/v1beta/models/gemini-2.5-flash:generateContent" \\
  --header "Authorization: $COMETAPI_KEY" \\
  --header "Content-Type: application/json" \\
  --data-raw '{ "contents": [{ "role": "user", "parts": [{ "text": "What is rain?" }] }] }'`,

  "Google Search in snake case": `curl "https://api.cometapi.com/v1beta/models/gemini-3-flash-preview:generateContent" \\
  -H "Content-Type: application/json" \\
  -H "x-goog-api-key: $COMETAPI_KEY" \\
  -d '{
    "contents": [{ "parts": [{ "text": "Does it rain in Oslo today?" }] }],
    "tools": [{ "google_search": {} }]
  }'`,

  "a stream": `curl "https://api.cometapi.com/v1beta/models/gemini-3-flash-preview:streamGenerateContent?alt=sse" \\
  -H "Content-Type: application/json" \\
  -H "x-goog-api-key: $COMETAPI_KEY" \\
  --no-buffer \\
  -d '{ "contents": [{ "parts": [{ "text": "What is rain?" }] }] }'`,

  "a thinking level": `curl "https://api.cometapi.com/v1beta/models/gemini-3.1-pro-preview:generateContent" \\
  -H "Content-Type: application/json" \\
  -H "x-goog-api-key: $COMETAPI_KEY" \\
  -d '{
    "contents": [{ "parts": [{ "text": "Why does it rain?" }] }],
    "generationConfig": { "thinkingConfig": { "thinkingLevel": "LOW" } }
  }'`,

  "a thinking budget": `curl "https://api.cometapi.com/v1beta/models/gemini-2.5-flash:generateContent" \\
  -H "Content-Type: application/json" \\
  -H "x-goog-api-key: $COMETAPI_KEY" \\
  -d '{
    "contents": [{ "parts": [{ "text": "Why does it rain?" }] }],
    "generationConfig": { "thinkingConfig": { "thinkingBudget": 0 } }
  }'`,

  "system instructions and settings": `curl "https://api.cometapi.com/v1beta/models/gemini-3-flash-preview:generateContent" \\
  -H "Content-Type: application/json" \\
  -H "x-goog-api-key: $COMETAPI_KEY" \\
  -d '{
    "systemInstruction": { "parts": [{ "text": "Answer like a sailor." }] },
    "contents": [{ "parts": [{ "text": "Hello" }] }],
    "generationConfig": { "temperature": 1.0, "topP": 0.8, "topK": 10, "stopSequences": ["Title"] }
  }'`,

  "JSON by a schema": `curl "https://api.cometapi.com/v1beta/models/gemini-3-flash-preview:generateContent" \\
  -H "Content-Type: application/json" \\
  -H "x-goog-api-key: $COMETAPI_KEY" \\
  -d '{
    "contents": [{ "parts": [{ "text": "Name two kinds of rain." }] }],
    "generationConfig": {
      "responseMimeType": "application/json",
      "responseSchema": { "type": "ARRAY", "items": { "type": "STRING" } }
    }
  }'`,

  "a video by its address": `curl "https://api.cometapi.com/v1beta/models/gemini-3-flash-preview:generateContent" \\
  -H "Content-Type: application/json" \\
  -H "x-goog-api-key: $COMETAPI_KEY" \\
  -d '{
    "contents": [{ "parts": [
      { "fileData": { "mimeType": "video/mp4", "fileUri": "https://example.com/rain.mp4" } },
      { "text": "What falls?" }
    ] }]
  }'`,
};

/** Parses a command like a shell: into an address, headers and a body, ready for `fetch`. */
export function requestOf(command: string, key: string): { url: string; init: RequestInit } {
  const url = /"(https?:[^"]+)"/.exec(command)?.[1] ?? "";
  const headers = [...command.matchAll(/(?:-H|--header) "([^:]+): ([^"]*)"/g)].map(
    ([, name = "", value = ""]): [string, string] => [name, value.replace("$COMETAPI_KEY", key)],
  );
  const body = /(?:-d|--data-raw) '([^']*)'/.exec(command)?.[1] ?? "";
  return { url, init: { method: "POST", headers, body } };
}
