import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import opentype from 'opentype.js';

/** How a line of text looks. */
export interface TextStyle {
  /** Height of the em square in pixels. */
  readonly size: number;
  readonly weight?: 'regular' | 'bold';
  readonly colour?: string;
}

/** Where a line of text stands: `x` is its start, middle or end as `anchor` says, `y` its baseline. */
export interface TextPlace {
  readonly x: number;
  readonly y: number;
  readonly anchor?: 'start' | 'middle' | 'end';
}

/**
 * A line of text as an SVG path, so that it looks the same on machines without fonts.
 *
 * Letters are DejaVu Sans, kerned, left to right; one it lacks is drawn as its box for missing letters.
 */
export function drawText(text: string, style: TextStyle, { x, y, anchor = 'start' }: TextPlace): string {
  const { glyphs, width } = setLine(text, style);
  const start = x - { start: 0, middle: 0.5, end: 1 }[anchor] * width;
  const outlines = glyphs.map(({ glyph, offset }) => glyph.getPath(start + offset, y, style.size).toPathData(2));
  return `<path d="${outlines.join('')}" fill="${style.colour ?? '#1a1a1a'}"/>`;
}

/** Width of a line of text in pixels. */
export function measureText(text: string, style: TextStyle): number {
  return setLine(text, style).width;
}

/** Breaks text at spaces into lines that are at most `width` wide; a longer word keeps a line to itself. */
export function wrapText(text: string, style: TextStyle, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const longer = lines.length > 0 ? `${lines[lines.length - 1]} ${word}` : word;
    if (lines.length > 0 && measureText(longer, style) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** The largest style down to two thirds of the size in which the text is at most `width` wide; then it is shortened. */
export function fitText(text: string, style: TextStyle, width: number): { text: string; style: TextStyle } {
  const wanted = style.size * Math.min(1, width / measureText(text, style));
  const fitted = { ...style, size: Math.max(wanted, (style.size * 2) / 3) };
  let shown = text;
  while (shown.length > 1 && measureText(shown, fitted) > width + 0.01)
    shown = `${shown.replace(/…$/, '').slice(0, -1)}…`;
  return { text: shown, style: fitted };
}

// letter by letter, because opentype.js cannot apply the contextual forms of DejaVu, which Latin text does not need
function setLine(text: string, style: TextStyle) {
  const font = fontOf(style);
  const scale = style.size / font.unitsPerEm;
  let width = 0;
  let previous: opentype.Glyph | undefined;
  const glyphs = [...text].map((letter) => {
    const glyph = font.charToGlyph(letter);
    if (previous) width += scale * font.getKerningValue(previous, glyph);
    const offset = width;
    width += scale * (glyph.advanceWidth ?? 0);
    previous = glyph;
    return { glyph, offset };
  });
  return { glyphs, width };
}

function fontOf({ weight = 'regular' }: TextStyle): opentype.Font {
  const known = fonts.get(weight);
  if (known) return known;
  const file = createRequire(import.meta.url).resolve(`dejavu-fonts-ttf/ttf/${FILES[weight]}`);
  const bytes = readFileSync(file);
  const font = opentype.parse(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  fonts.set(weight, font);
  return font;
}

const FILES = { regular: 'DejaVuSans.ttf', bold: 'DejaVuSans-Bold.ttf' };
// parsing a font takes a tenth of a second, and a figure has a hundred lines of text
const fonts = new Map<string, opentype.Font>();
