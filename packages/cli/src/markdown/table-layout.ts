import type { Cell, Table } from "./blocks.ts";
import type { Piece, Style, Word } from "./inline.ts";

interface Line {
  readonly pieces: readonly Piece[];
  readonly columns: number;
}

const SEPARATOR = " │ ";

/**
 * The lines of a table that is at most this wide. Cells are wrapped between words; where even the longest words don't fit side by
 * side, each row is a list of its cells.
 */
export function layOutTable({ header, rows, align }: Table, width: number, styles: readonly Style[]): Piece[][] {
  const columns = header.map((_, index) => [header, ...rows].map((row) => row[index] ?? []));
  const natural = columns.map((cells) =>
    Math.max(1, ...cells.flatMap((cell) => wrap(cell, Infinity).map((line) => line.columns))),
  );
  const least = columns.map((cells) =>
    Math.max(1, ...cells.flatMap((cell) => cell.map((word) => (word.type === "word" ? word.columns : 0)))),
  );
  const room = width - SEPARATOR.length * (header.length - 1);
  if (sum(least) > room) return listRows(header, rows, width, styles);
  const widths = fit(natural, least, room);

  const dim = (text: string): Piece => ({ text, styles: [...styles, "dim"] });
  const wrapped = [header, ...rows].map((row) =>
    widths.map((columnWidth, index) => wrap(row[index] ?? [], columnWidth)),
  );
  // Without a rule, nobody could tell where a row of several lines ends.
  const ruled = wrapped.slice(1).some((row) => row.some((cell) => cell.length > 1));
  const rule = [dim(widths.map((columnWidth) => "─".repeat(columnWidth)).join("─┼─"))];
  return wrapped.flatMap((row, index) => {
    const lines = Array.from({ length: Math.max(1, ...row.map((cell) => cell.length)) }, (_, line) =>
      row.flatMap((cell, column): Piece[] => [
        ...(column === 0 ? [] : [dim(SEPARATOR)]),
        ...pad(cell[line], widths[column] ?? 0, align[column] ?? "left", column === row.length - 1),
      ]),
    ).map((line) => (index === 0 ? line.map(bold) : line));
    return index === 0 || (ruled && index < wrapped.length - 1) ? [...lines, rule] : lines;
  });
}

/** Widths between the least and the natural ones that fill the room as evenly as possible. */
function fit(natural: readonly number[], least: readonly number[], room: number): number[] {
  const capped = (cap: number): number[] =>
    natural.map((most, index) => Math.max(least[index] ?? 1, Math.min(most, cap)));
  const highest = Math.max(...natural);
  if (sum(natural) <= room) return [...natural];
  let cap = 1;
  while (cap < highest && sum(capped(cap + 1)) <= room) cap++;
  return capped(cap);
}

function pad(line: Line | undefined, width: number, align: "center" | "left" | "right", isLast: boolean): Piece[] {
  const free = Math.max(0, width - (line?.columns ?? 0));
  const before = align === "right" ? free : align === "center" ? Math.floor(free / 2) : 0;
  const space = (columns: number): Piece[] => (columns === 0 ? [] : [{ text: " ".repeat(columns), styles: [] }]);
  return [...space(before), ...(line?.pieces ?? []), ...(isLast ? [] : space(free - before))];
}

function listRows(
  header: readonly Cell[],
  rows: readonly (readonly Cell[])[],
  width: number,
  styles: readonly Style[],
): Piece[][] {
  const rule: Piece = { text: "─".repeat(Math.min(width, 10)), styles: [...styles, "dim"] };
  return rows.flatMap((row, index) => [
    ...(index === 0 ? [] : [[rule]]),
    ...row.flatMap((cell, column) => {
      const name = (header[column] ?? []).map((word) =>
        word.type === "word" ? { ...word, pieces: word.pieces.map(bold) } : word,
      );
      const colon: Piece = { text: ":", styles: [...styles, "bold"] };
      const named =
        name.length === 0
          ? []
          : name.map((word, at) =>
              at === name.length - 1 && word.type === "word"
                ? { ...word, pieces: [...word.pieces, colon], columns: word.columns + 1 }
                : word,
            );
      const [first, ...others] = cell;
      const value = first?.type === "word" ? [{ ...first, space: true }, ...others] : cell;
      return wrap([...named, ...value], width).map(({ pieces }) => [...pieces]);
    }),
  ]);
}

/** A cell as lines. */
function wrap(cell: Cell, width: number): Line[] {
  const lines: { pieces: Piece[]; columns: number }[] = [{ pieces: [], columns: 0 }];
  for (const word of cell) {
    const line = lines.at(-1);
    if (word.type === "break" || line === undefined) lines.push({ pieces: [], columns: 0 });
    else if (line.columns > 0 && line.columns + Number(word.space) + word.columns > width)
      lines.push({ pieces: [...word.pieces], columns: word.columns });
    else addWord(line, word);
  }
  return lines;
}

function addWord(line: { pieces: Piece[]; columns: number }, { pieces, columns, space }: Word): void {
  const isSpaced = space && line.columns > 0;
  line.pieces.push(...(isSpaced ? [{ text: " ", styles: [] }] : []), ...pieces);
  line.columns += columns + Number(isSpaced);
}

function bold(piece: Piece): Piece {
  return piece.styles.includes("dim") || piece.styles.includes("bold")
    ? piece
    : { ...piece, styles: [...piece.styles, "bold"] };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
