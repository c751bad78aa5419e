/**
 * Splits text into the deltas of a stream: at spaces if there are any, never inside a surrogate pair. Joined, they are the
 * original text.
 *
 * @param size Characters per delta, at least 2.
 */
export function textDeltas(text: string, size: number): string[] {
  const pieces: string[] = [];
  let rest = text;
  while (rest.length > size) {
    const space = rest.lastIndexOf(" ", size);
    let end = space > 0 ? space : size;
    const last = rest.charCodeAt(end - 1);
    if (last >= 0xd800 && last <= 0xdbff) end -= 1;
    pieces.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
  if (rest !== "" || pieces.length === 0) pieces.push(rest);
  return pieces;
}
