/**
 * `npx pnpm picture`: runs `npm start` on the emulator, and draws what a terminal shows into docs/images/start.svg.
 *
 * The program writes its colors as on a terminal (`FORCE_COLOR`, `COLUMNS`); xterm turns the bytes into cells.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import xterm, { type IBufferCell, type IBufferLine, type Terminal } from "@xterm/headless";

const COLUMNS = 92;
/** Size of a cell and of the font, in pixels. */
const CELL = { width: 8.4, height: 20, font: 14 } as const;
const MARGIN = 24;
const TITLE_BAR = 40;

/** The 16 colors of a terminal's palette, on a dark background. */
const PALETTE = [
  "#484f58",
  "#ff7b72",
  "#7ee787",
  "#e3b341",
  "#79c0ff",
  "#d2a8ff",
  "#56d4dd",
  "#d0d7de",
  "#6e7681",
  "#ffa198",
  "#aff5b4",
  "#f2cc60",
  "#a5d6ff",
  "#e2c5ff",
  "#87deea",
  "#ffffff",
] as const;
const TEXT = "#e6edf3";
const DIM = "#8b949e";

const root = fileURLToPath(new URL("..", import.meta.url));
const terminal = await show(runStart());
const target = join(root, "docs/images/start.svg");
mkdirSync(dirname(target), { recursive: true });
writeFileSync(target, drawPicture(terminal, "npm start"));

/** What the program writes on a terminal of this width, without a key. */
function runStart(): string {
  const { PATH, HOME } = process.env;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--conditions=pollux-source", "examples/quickstart.ts"],
    { cwd: root, encoding: "utf8", env: { PATH, HOME, FORCE_COLOR: "1", COLUMNS: String(COLUMNS) } },
  );
  if (status !== 0) throw new Error(`npm start ended with ${status}: ${stderr}`);
  return stdout;
}

function show(output: string): Promise<Terminal> {
  // As many rows as the output has: nothing scrolls away.
  const rows = output.split("\n").length + COLUMNS;
  const screen = new xterm.Terminal({ cols: COLUMNS, rows, convertEol: true, allowProposedApi: true });
  return new Promise((resolve) => screen.write(output, () => resolve(screen)));
}

function drawPicture({ buffer }: Terminal, title: string): string {
  const rows: IBufferLine[] = [];
  for (let y = 0; y <= buffer.active.cursorY; y++) {
    const row = buffer.active.getLine(y);
    if (row !== undefined) rows.push(row);
  }
  while (rows.at(-1)?.translateToString(true) === "") rows.pop();
  const width = Math.ceil(COLUMNS * CELL.width + 2 * MARGIN);
  const height = TITLE_BAR + rows.length * CELL.height + MARGIN;
  const lights = ["#ff5f57", "#febc2e", "#28c840"]
    .map((color, index) => `<circle cx="${MARGIN + index * 20}" cy="20" r="6" fill="${color}"/>`)
    .join("");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escapeXml(title)}</title>
<style>text{font:${CELL.font}px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre;fill:${TEXT}}.b{font-weight:700}</style>
<rect width="${width}" height="${height}" rx="10" fill="#0d1117"/>
${lights}<text x="${width / 2}" y="25" text-anchor="middle" style="fill:${DIM}">${escapeXml(title)}</text>
${rows.flatMap((row, index) => drawRow(row, TITLE_BAR + (index + 0.75) * CELL.height)).join("\n")}
</svg>
`;
}

/** One text for each stretch of cells with the same style. */
function drawRow(row: IBufferLine, y: number): string[] {
  const texts: string[] = [];
  let stretch = { style: "", from: 0, to: 0, text: "" };
  const finish = (): void => {
    const { style, from, to, text } = stretch;
    if (text.trim() === "") return;
    const x = MARGIN + from * CELL.width;
    const length = ((to - from) * CELL.width).toFixed(1);
    texts.push(
      `<text x="${x.toFixed(1)}" y="${y}" textLength="${length}" lengthAdjust="spacingAndGlyphs"${style}>${escapeXml(text)}</text>`,
    );
  };
  for (let x = 0; x < COLUMNS; x++) {
    const cell = row.getCell(x);
    if (cell === undefined || cell.getWidth() === 0) continue;
    const style = styleOf(cell);
    if (style !== stretch.style) {
      finish();
      stretch = { style, from: x, to: x, text: "" };
    }
    stretch.text += cell.getChars() || " ";
    stretch.to = x + cell.getWidth();
  }
  stretch.to = stretch.from + stretch.text.trimEnd().length;
  stretch.text = stretch.text.trimEnd();
  finish();
  return texts;
}

function styleOf(cell: IBufferCell): string {
  const color = cell.isFgPalette() ? PALETTE[cell.getFgColor()] : cell.isDim() ? DIM : undefined;
  return `${cell.isBold() ? ' class="b"' : ""}${color === undefined ? "" : ` style="fill:${color}"`}`;
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
