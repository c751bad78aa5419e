/** How many bytes two arrays have in common at their beginning. Four at a time where both are aligned, as whole copies are. */
export function sharedPrefix(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  let at = 0;
  if (a.byteOffset % 4 === 0 && b.byteOffset % 4 === 0) {
    const words = length >> 2;
    const [left, right] = [
      new Int32Array(a.buffer, a.byteOffset, words),
      new Int32Array(b.buffer, b.byteOffset, words),
    ];
    let word = 0;
    while (word < words && left[word] === right[word]) word++;
    at = word * 4;
  }
  while (at < length && a[at] === b[at]) at++;
  return at;
}

/** How many bytes two arrays have in common at their end. */
export function sharedSuffix(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  let count = 0;
  while (count < length && a[a.length - 1 - count] === b[b.length - 1 - count]) count++;
  return count;
}
