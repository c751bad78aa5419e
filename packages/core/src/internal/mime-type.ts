/** The media type of a file by its first 64 bytes; undefined for a file without a signature, such as text. */
export function detectMimeType(head: Uint8Array): string | undefined {
  const text = String.fromCharCode(...head.subarray(0, 64));
  const riff = /^RIFF[^]{4}(WEBP|WAVE|AVI )/.exec(text)?.[1];
  if (riff !== undefined) return riff === "WEBP" ? "image/webp" : riff === "WAVE" ? "audio/wav" : "video/x-msvideo";
  const brand = /^[^]{4}ftyp([^]{4})/.exec(text)?.[1];
  if (brand !== undefined) return findBrandType(brand);
  const known = STARTS.find(([start]) => start.test(text));
  if (known !== undefined) return known[1];
  // The frame headers are similar; only AAC has a layer of 0.
  const [first = 0, second = 0] = head;
  if (first !== 0xff || (second & 0xe0) !== 0xe0) return undefined;
  if ((second & 0xf6) === 0xf0) return "audio/aac";
  return (second & 0x06) === 0x02 && (second & 0x18) !== 0x08 ? "audio/mp3" : undefined;
}

/** Media type by the extension of a file name, a path, or the path of a URL. */
export function guessMimeType(name: string): string | undefined {
  const extension = /\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase();
  return extension === undefined ? undefined : EXTENSIONS.get(extension);
}

/** Usual extension of a media type, without a dot; `bin` if it is unknown. */
export function findExtension(mimeType: string): string {
  const type = parseEssence(mimeType);
  return OTHER_NAMES.get(type) ?? [...EXTENSIONS].find(([, known]) => known === type)?.[0] ?? "bin";
}

/** A media type in lower case and without parameters. */
export function parseEssence(mimeType: string): string {
  return mimeType.toLowerCase().split(";", 1)[0]?.trim() ?? "";
}

const STARTS: readonly (readonly [start: RegExp, mimeType: string])[] = [
  [/^\x89PNG\r\n\x1a\n/, "image/png"],
  [/^\xff\xd8\xff/, "image/jpeg"],
  [/^GIF8[79]a/, "image/gif"],
  [/^%PDF-/, "application/pdf"],
  [/^fLaC/, "audio/flac"],
  [/^OggS/, "audio/ogg"],
  [/^ID3/, "audio/mp3"],
  [/^FORM[^]{4}AIF[FC]/, "audio/aiff"],
  [/^\x1aE\xdf\xa3/, "video/webm"],
  [/^\x00\x00\x01[\xba\xb3]/, "video/mpeg"],
];

/** Media type of an ISO media file, by its brand. */
function findBrandType(brand: string): string {
  if (/^hei[cxms]$|^hev[cxms]$/.test(brand)) return "image/heic";
  if (/^mif1$|^msf1$/.test(brand)) return "image/heif";
  if (/^avi[fs]$/.test(brand)) return "image/avif";
  if (brand === "qt  ") return "video/mov";
  if (/^M4[AB] $/.test(brand)) return "audio/m4a";
  return brand.startsWith("3gp") ? "video/3gpp" : "video/mp4";
}

/** Subtypes that are extensions, too. */
const SUBTYPES = {
  image: "png webp heic heif gif avif bmp",
  audio: "wav mp3 flac ogg aac aiff m4a",
  video: "mp4 webm mov mpeg wmv",
  text: "csv html css xml rtf",
  application: "pdf json",
};

/** The first extension of a media type is the usual one. */
const EXTENSIONS: ReadonlyMap<string, string> = new Map([
  ...Object.entries(SUBTYPES).flatMap(([type, subtypes]) =>
    subtypes.split(" ").map((subtype): [string, string] => [subtype, `${type}/${subtype}`]),
  ),
  ["jpg", "image/jpeg"],
  ["jpeg", "image/jpeg"],
  ["svg", "image/svg+xml"],
  ["doc", "application/msword"],
  ["docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"],
  ["xls", "application/vnd.ms-excel"],
  ["xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
  ["ppt", "application/vnd.ms-powerpoint"],
  ["pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"],
  ["odt", "application/vnd.oasis.opendocument.text"],
  ["ods", "application/vnd.oasis.opendocument.spreadsheet"],
  ["odp", "application/vnd.oasis.opendocument.presentation"],
  ["opus", "audio/ogg"],
  ["mpg", "video/mpeg"],
  ["avi", "video/x-msvideo"],
  ["flv", "video/x-flv"],
  ["3gp", "video/3gpp"],
  ["txt", "text/plain"],
  ["md", "text/markdown"],
  ["htm", "text/html"],
  ["js", "text/javascript"],
  ["py", "text/x-python"],
]);

/** Other names of types above. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ["image/jpg", "jpg"],
  ["audio/mpeg", "mp3"],
  ["audio/x-wav", "wav"],
  ["audio/wave", "wav"],
  ["video/quicktime", "mov"],
  ["text/md", "md"],
]);
