// Loaded before a program of another library: redirects its requests to the emulator. Not every library has an option for that.
const platformFetch = globalThis.fetch;

globalThis.fetch = (input, init) => {
  const request = new Request(input, init);
  const { pathname, search } = new URL(request.url);
  const redirected = new Request(process.env["EMULATOR_URL"] + pathname + search, request);
  // A program that is busy loading a library misses that the emulator closes an idle connection, and would reuse it.
  redirected.headers.set("connection", "close");
  return platformFetch(redirected);
};
