/** Characters per `String.fromCharCode` call: well below every engine's limit of arguments. */
const CHUNK = 0x8000;

/** Standard base64 of bytes, natively where the platform can. */
export function toBase64(bytes: Uint8Array): string {
  // Not in every supported runtime yet, so not in the type library either.
  const native = (bytes as { readonly toBase64?: () => string }).toBase64;
  if (typeof native === "function") return native.call(bytes);
  let binary = "";
  for (let at = 0; at < bytes.length; at += CHUNK) binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(binary);
}
