/**
 * A short text that differs when the value's JSON does: 64 bits, in hex. To tell versions apart, not to keep secrets.
 */
export function fingerprint(value: unknown): string {
  let low = 0x811c9dc5;
  let high = 0x9e3779b9;
  for (const character of JSON.stringify(value) ?? "") {
    const code = character.codePointAt(0) ?? 0;
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x85ebca6b);
    high ^= high >>> 13;
  }
  return [high, low].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
}
