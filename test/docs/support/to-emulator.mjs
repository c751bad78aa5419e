// Loaded before a program of another library: whatever it sends goes to the emulator. Not all have an option for that.
const platformFetch = globalThis.fetch;

globalThis.fetch = (input, init) => {
  const request = new Request(input, init);
  const { pathname, search } = new URL(request.url);
  return platformFetch(new Request(process.env["EMULATOR_URL"] + pathname + search, request));
};
