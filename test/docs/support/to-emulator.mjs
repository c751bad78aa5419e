// Loaded before a program of another library: whatever it sends goes to the emulator. Not all have an option for that.
const platformFetch = globalThis.fetch;

globalThis.fetch = (input, init) => {
  const request = new Request(input, init);
  const { pathname, search } = new URL(request.url);
  const redirected = new Request(process.env["EMULATOR_URL"] + pathname + search, request);
  // While a program loads a library, nobody sees that the emulator closes an idle connection; the next one would be sent there.
  redirected.headers.set("connection", "close");
  return platformFetch(redirected);
};
