import { writeFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import type { Chromium, Page } from "../../test/runtimes/support/chromium.ts";
import { animatedWebp, type Frame } from "./animated-webp.ts";

interface Shot {
  /** A PNG in base64. */
  readonly png: string;
  readonly milliseconds: number;
}

/** The drawing tab's result for a picture: the part of it that differs from the one before, as a WebP in base64. */
interface Difference extends Omit<Frame, "image" | "milliseconds"> {
  readonly image: string;
}

/** Time that a picture is seen for; a busy machine takes longer to make it. */
const FRAME_MS = 90;

/** Films a tab: takes pictures of it on request, and joins them. */
export class Film {
  readonly #page: Page;
  readonly #shots: Shot[] = [];
  #still: Shot | undefined;

  constructor(page: Page) {
    this.#page = page;
  }

  /** Types text as a person does. */
  async type(selector: string, text: string): Promise<void> {
    for (const piece of text.match(/.{1,4}/g) ?? []) {
      await this.#page.type(selector, piece);
      await this.shoot();
    }
  }

  /** Films until the code is true in the tab; for a minute at most. */
  async until(code: string): Promise<void> {
    const deadline = Date.now() + 60_000;
    while ((await this.#page.evaluate(`Boolean(${code})`)) !== true) {
      if (Date.now() > deadline) throw new Error(`the page never came to ${code}`);
      await this.shoot();
      await setTimeout(FRAME_MS / 2);
    }
    await this.shoot();
  }

  /** Takes a picture, which stays for this time. */
  async shoot(milliseconds: number = FRAME_MS): Promise<void> {
    const png = await this.#page.screenshot({ encoding: "base64" });
    const last = this.#shots.at(-1);
    if (last === undefined || last.png !== png) this.#shots.push({ png: String(png), milliseconds });
    else if (milliseconds > FRAME_MS) this.#shots.splice(-1, 1, { ...last, milliseconds });
  }

  /** The picture just taken is the one for people who want no motion. Without it, the last one is. */
  markStill(): void {
    this.#still = this.#shots.at(-1);
  }

  /** Writes the film, and beside it the still. */
  async write(browser: Chromium, file: string): Promise<void> {
    const tab = await browser.newPage();
    await tab.evaluate(DRAWING);
    const frames: Frame[] = [];
    let size = { width: 0, height: 0 };
    for (const { png, milliseconds } of this.#shots) {
      const found = (await tab.evaluate(`difference(${JSON.stringify(png)})`)) as Difference | null;
      if (found === null) continue;
      if (frames.length === 0) size = { width: found.width, height: found.height };
      frames.push({ ...found, image: Buffer.from(found.image, "base64"), milliseconds });
    }
    writeFileSync(file, animatedWebp(size, frames));
    const still = String(await tab.evaluate(`still(${JSON.stringify(this.#still?.png ?? this.#shots.at(-1)?.png)})`));
    writeFileSync(file.replace(/\.webp$/, "-still.webp"), Buffer.from(still, "base64"));
    await tab.close();
  }
}

/** Runs in a tab: Chromium compares and compresses, so that this needs no library. */
const DRAWING = `
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  let before;
  const bitmapOf = async (png) => createImageBitmap(await (await fetch("data:image/png;base64," + png)).blob());
  // With quality 1, nothing is lost; of a large part, which stays for a moment only, the smaller of two.
  const webp = async (from) => {
    const qualities = from.width * from.height < 50_000 ? [1] : [1, 0.92];
    const blobs = await Promise.all(qualities.map((quality) => from.convertToBlob({ type: "image/webp", quality })));
    const [smallest] = blobs.toSorted((one, other) => one.size - other.size);
    const bytes = new Uint8Array(await smallest.arrayBuffer());
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  };
  const still = async (png) => {
    context.drawImage(await bitmapOf(png), 0, 0);
    return webp(canvas);
  };
  const difference = async (png) => {
    const image = await bitmapOf(png);
    const { width, height } = image;
    if (before === undefined) [canvas.width, canvas.height] = [width, height];
    context.drawImage(image, 0, 0);
    const pixels = new Uint32Array(context.getImageData(0, 0, width, height).data.buffer);
    let [left, top, right, bottom] = [width, height, -1, -1];
    for (let at = 0; at < pixels.length; at += 1) {
      if (before !== undefined && pixels[at] === before[at]) continue;
      const [x, y] = [at % width, Math.floor(at / width)];
      [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)];
    }
    before = pixels;
    if (right < 0) return null;
    const [x, y] = [left - (left % 2), top - (top % 2)];
    const part = new OffscreenCanvas(right + 1 - x, bottom + 1 - y);
    part.getContext("2d").drawImage(canvas, -x, -y);
    return { x, y, width: part.width, height: part.height, image: await webp(part) };
  };
  Object.assign(globalThis, { difference, still });
`;
