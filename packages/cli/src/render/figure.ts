import type { Pixels } from '../io/image.ts';
import { compose, enlarge, type Placed } from './canvas.ts';
import type { ColourTable } from './colormap.ts';
import { drawText, fitText, type TextStyle, wrapText } from './text.ts';

/** What a figure shows: one column for each image, one row for each technique, under a row of the images. */
export interface Figure {
  readonly columns: readonly FigureColumn[];
  readonly rows: readonly FigureRow[];
  /** Colours of the bar from 0 to 1. */
  readonly colours: ColourTable;
  readonly caption: string;
}

export interface FigureColumn {
  readonly image: Pixels;
  readonly heading: string;
  readonly subheading: string;
  /** What is wrong with the prediction; the heading is then red. */
  readonly fault?: string;
}

export interface FigureRow {
  readonly title: string;
  readonly subtitle?: string;
  /** One for each column, of the images' size. */
  readonly cells: readonly FigureCell[];
}

export interface FigureCell {
  readonly pixels: Pixels;
  /** A few words written into the cell, such as that the map is constant. */
  readonly note?: string;
}

/** A drawn figure: its rasters, and lines and text as an SVG document of the same size to put over them. */
export interface Drawing {
  readonly pixels: Pixels;
  readonly svg: string;
}

/**
 * Lays out a figure as in a paper: images across, techniques down, one colour bar, a caption below.
 *
 * All images have the same size; small ones are enlarged by a whole factor to about 224 pixels.
 */
export function drawFigure(figure: Figure): Drawing {
  const grid = layOut(figure);
  const caption = wrapText(figure.caption, CAPTION, grid.width - 2 * MARGIN);
  const height = grid.bottom + CAPTION_GAP + caption.length * CAPTION_LINE + MARGIN - (CAPTION_LINE - CAPTION.size);
  const text = [
    ...figure.columns.flatMap((column, index) => drawHeading(column, grid.left(index) + grid.cell[1] / 2, grid)),
    ...[{ title: 'Input' }, ...figure.rows].flatMap((row, index) => drawTitle(row, grid.top(index) + grid.cell[0] / 2)),
    ...figure.rows.flatMap((row, index) => drawNotes(row, index + 1, grid)),
    ...drawScale(grid),
    ...caption.map((line, index) =>
      drawText(line, CAPTION, { x: MARGIN, y: grid.bottom + CAPTION_GAP + CAPTION.size + index * CAPTION_LINE }),
    ),
  ];
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${grid.width}" height="${height}">${text.join('')}</svg>`;
  return { pixels: compose(height, grid.width, placeRasters(figure, grid)), svg };
}

/** Places of the grid in pixels: row 0 holds the images themselves. */
interface Grid {
  readonly cell: readonly [number, number];
  readonly factor: number;
  readonly head: number;
  readonly left: (column: number) => number;
  readonly top: (row: number) => number;
  readonly bottom: number;
  readonly width: number;
  readonly bar: { readonly left: number; readonly top: number; readonly height: number };
}

function layOut({ columns, rows }: Figure): Grid {
  const [height, width] = columns[0].image.size;
  const factor = Math.max(1, Math.round(CELL / Math.max(height, width)));
  const cell = [height * factor, width * factor] as const;
  const head = MARGIN + (columns.some(({ fault }) => fault) ? HEAD + FAULT_LINE : HEAD);
  const left = (column: number) => MARGIN + TITLES + column * (cell[1] + GAP);
  const top = (row: number) => head + row * (cell[0] + GAP) + (row > 0 ? ROW_BREAK : 0);
  const bottom = top(rows.length) + cell[0];
  const bar = { left: left(columns.length) - GAP + BAR_GAP, top: top(1), height: bottom - top(1) };
  return { cell, factor, head, left, top, bottom, bar, width: bar.left + BAR_WIDTH + BAR_LABELS + MARGIN };
}

function placeRasters({ columns, rows, colours }: Figure, grid: Grid): Placed[] {
  const place = (pixels: Pixels, row: number, column: number) => ({
    pixels: enlarge(pixels, grid.factor),
    left: grid.left(column),
    top: grid.top(row),
  });
  return [
    ...columns.map(({ image }, column) => place(image, 0, column)),
    ...rows.flatMap(({ cells }, row) => cells.map(({ pixels }, column) => place(pixels, row + 1, column))),
    { pixels: barPixels(colours, grid.bar.height), left: grid.bar.left, top: grid.bar.top },
  ];
}

function barPixels(colours: ColourTable, height: number): Pixels {
  const data = new Uint8Array(height * BAR_WIDTH * 3);
  for (let y = 0; y < height; y++) {
    const index = 3 * Math.round(255 * (1 - y / (height - 1))); // 1 is at the top
    for (let x = 0; x < BAR_WIDTH; x++) data.set(colours.subarray(index, index + 3), 3 * (y * BAR_WIDTH + x));
  }
  return { data, size: [height, BAR_WIDTH] };
}

function drawHeading({ heading, subheading, fault }: FigureColumn, x: number, { head, cell }: Grid): string[] {
  const lines = [
    ...(fault ? [{ text: fault, style: { ...NOTE, colour: FAULT_COLOUR } }] : []),
    { text: heading, style: { ...HEADING, colour: fault ? FAULT_COLOUR : undefined } },
    { text: subheading, style: SUBHEADING },
  ];
  const first = head - HEAD_GAP - (lines.length - 1) * HEAD_LINE;
  return lines.map((line, index) => {
    const fitted = fitText(line.text, line.style, cell[1] - 4);
    return drawText(fitted.text, fitted.style, { x, y: first + index * HEAD_LINE, anchor: 'middle' });
  });
}

function drawTitle({ title, subtitle = '' }: Omit<FigureRow, 'cells'>, middle: number): string[] {
  const width = TITLES - TITLE_GAP;
  const lines = [
    ...wrapText(title, HEADING, width).map((text) => ({ text, style: HEADING })),
    ...(subtitle === '' ? [] : wrapText(subtitle, NOTE, width).map((text) => ({ text, style: NOTE }))),
  ];
  const first = middle - ((lines.length - 1) * TITLE_LINE) / 2 + CAP_HEIGHT * HEADING.size * 0.5;
  return lines.map(({ text, style }, index) =>
    drawText(text, style, { x: MARGIN + width, y: first + index * TITLE_LINE, anchor: 'end' }),
  );
}

function drawNotes({ cells }: FigureRow, row: number, grid: Grid): string[] {
  return cells.flatMap(({ note }, column) => {
    if (!note) return [];
    const place = {
      x: grid.left(column) + grid.cell[1] / 2,
      y: grid.top(row) + grid.cell[0] / 2,
      anchor: 'middle',
    } as const;
    const fitted = fitText(note, { ...NOTE, colour: '#ffffff' }, grid.cell[1] - 16);
    return [drawText(fitted.text, fitted.style, place)];
  });
}

function drawScale({ bar }: Grid): string[] {
  const right = bar.left + BAR_WIDTH;
  const frame = `<rect x="${bar.left - 0.5}" y="${bar.top - 0.5}" width="${BAR_WIDTH + 1}" height="${bar.height + 1}" fill="none" stroke="#1a1a1a"/>`;
  const ticks = [0, 0.25, 0.5, 0.75, 1].flatMap((value) => {
    const y = bar.top + (1 - value) * bar.height;
    const label = drawText(String(value), SUBHEADING, { x: right + 14, y: y + (CAP_HEIGHT * SUBHEADING.size) / 2 });
    return [`<path d="M${right} ${y}h8" stroke="#1a1a1a" stroke-width="1.5"/>`, label];
  });
  return [frame, ...ticks];
}

// lengths in pixels
const CELL = 224;
const MARGIN = 44;
const GAP = 10;
const ROW_BREAK = 14; // between the images and their explanations
const TITLES = 262; // column of row titles, its gap included
const TITLE_GAP = 24;
const TITLE_LINE = 30;
const HEAD = 78; // two lines above a column
const HEAD_GAP = 16; // from the last baseline to the image
const HEAD_LINE = 31;
const FAULT_LINE = 31;
const BAR_GAP = 32;
const BAR_WIDTH = 26;
const BAR_LABELS = 66;
const CAPTION_GAP = 34;
const CAPTION_LINE = 36;
const CAP_HEIGHT = 0.73; // of DejaVu Sans, in ems

const HEADING: TextStyle = { size: 27, weight: 'bold' };
const SUBHEADING: TextStyle = { size: 23 };
const NOTE: TextStyle = { size: 20, colour: '#555555' };
const CAPTION: TextStyle = { size: 24 };
const FAULT_COLOUR = '#b3261e';
