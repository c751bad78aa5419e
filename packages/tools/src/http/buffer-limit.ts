/**
 * Makes this process refuse to create larger buffers, so that a small file can't decompress to an enormous one: code that
 * asks for more gets a `RangeError`, as the runtime throws for impossible sizes.
 *
 * @param maxBytes - Most bytes of one buffer.
 */
export function boundBuffers(maxBytes: number): void {
  const globals: { [name: string]: unknown } = globalThis;
  for (const name of ["ArrayBuffer", "Uint8Array", "Uint8ClampedArray", "Uint16Array", "Int32Array", "Float32Array"]) {
    const original = globals[name] as { new (...args: unknown[]): object; readonly BYTES_PER_ELEMENT?: number };
    const mostElements = maxBytes / (original.BYTES_PER_ELEMENT ?? 1);
    globals[name] = new Proxy(original, {
      construct: (target, args: unknown[], newTarget) => {
        const [given] = args;
        if (typeof given === "number" && given > mostElements)
          throw new RangeError(`a buffer of ${given} elements exceeds the limit of ${maxBytes} bytes`);
        return Reflect.construct(target, args, newTarget) as object;
      },
    });
  }
  // It decompresses outside of this limit; without it, libraries use code of their own.
  delete globals["DecompressionStream"];
}
