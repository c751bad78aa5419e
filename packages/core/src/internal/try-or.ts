/** What `get` returns, or `otherwise` if it throws: values of other people's code may throw when they are read. */
export function tryOr<T>(get: () => T, otherwise: T): T {
  try {
    return get();
  } catch {
    return otherwise;
  }
}
