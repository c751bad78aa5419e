const SEPARATOR = "\r\n\r\n";
const PREFIX = "data: ".length;

/** The data of each event. Input is searched only once: a chunk of 20 MB costs no more than its bytes. */
export async function* eventsOf(body) {
  const decoder = new TextDecoder();
  let held = [];
  let end = "";
  for await (const bytes of body) {
    const text = decoder.decode(bytes, { stream: true });
    held.push(text);
    // The separator may be split, so the last three characters are searched again.
    const unsearched = end + text;
    end = unsearched.slice(-3);
    if (!unsearched.includes(SEPARATOR)) continue;
    const pieces = held.join("").split(SEPARATOR);
    const rest = pieces.pop();
    held = rest === "" ? [] : [rest];
    end = rest.slice(-3);
    for (const piece of pieces) yield piece.slice(PREFIX);
  }
}
