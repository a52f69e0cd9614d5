import sharp from 'sharp';
import { expect, test } from 'vitest';
import { encodeWithSvg } from '../src/io/image.ts';
import { colormaps } from '../src/render/colormap.ts';
import { drawFigure, type Figure } from '../src/render/figure.ts';
import { drawText, fitText, measureText, wrapText } from '../src/render/text.ts';

const grey = (level: number, side = 224) => ({
  data: new Uint8Array(side * side * 3).fill(level),
  size: [side, side] as const,
});

function figure(columns: number, change: Partial<Figure> = {}): Figure {
  return {
    columns: Array.from({ length: columns }, () => ({ image: grey(100), heading: 'bubbly', subheading: '98.4 %' })),
    rows: ['Grad-CAM', 'Score-CAM'].map((title) => ({ title, cells: Array(columns).fill({ pixels: grey(180) }) })),
    colours: colormaps.turbo,
    caption: 'One line.',
    ...change,
  };
}

async function render(shown: Figure) {
  const { pixels, svg } = drawFigure(shown);
  const { data, info } = await sharp(await encodeWithSvg(pixels, svg))
    .raw()
    .toBuffer({ resolveWithObject: true });
  const shade = (y: number, x: number) => data[info.channels * (y * info.width + x)];
  return { ...info, svg, shade };
}

// the darkest pixel of a part of the figure
const darkest = ({ shade }: Awaited<ReturnType<typeof render>>, rows: [number, number], columns: [number, number]) => {
  let best = 255;
  for (let y = rows[0]; y < rows[1]; y++)
    for (let x = columns[0]; x < columns[1]; x++) best = Math.min(best, shade(y, x));
  return best;
};

test('images and maps stand in a grid of 224-pixel cells under their headings, beside their titles', async () => {
  const drawn = await render(figure(3));
  expect(drawn.channels).toBe(3);
  const [left, top] = [306, 122];
  expect([0, 1, 2].map((column) => drawn.shade(top, left + column * 234))).toEqual([100, 100, 100]);
  expect([0, 1].map((row) => drawn.shade(top + 248 + row * 234, left))).toEqual([180, 180]);
  expect(drawn.shade(top - 1, left)).toBe(255);
  expect(darkest(drawn, [44, top - 4], [left, left + 224])).toBeLessThan(60); // class and probability
  expect(darkest(drawn, [top + 248, top + 472], [44, left - 4])).toBeLessThan(60); // title of the row
  expect(darkest(drawn, [drawn.height - 80, drawn.height - 40], [44, 400])).toBeLessThan(60); // caption
});

test('margins stay white all around', async () => {
  const drawn = await render(figure(2));
  for (const x of [0, 20, 43]) expect(darkest(drawn, [0, drawn.height], [x, x + 1])).toBe(255);
  for (const y of [0, 20, drawn.height - 30, drawn.height - 1])
    expect(darkest(drawn, [y, y + 1], [0, drawn.width])).toBe(255);
  expect(darkest(drawn, [0, drawn.height], [drawn.width - 40, drawn.width])).toBe(255);
});

test('a wrong prediction gets a line of its own, so the figure grows', () => {
  const fault = { image: grey(100), heading: 'lined', subheading: '51.0 %', fault: 'labelled knitted' };
  const [plain, marked] = [figure(2), figure(2, { columns: [...figure(1).columns, fault] })].map(drawFigure);
  expect(marked.pixels.size[0]).toBeGreaterThan(plain.pixels.size[0]);
  expect(marked.svg).toContain('#b3261e');
  expect(plain.svg).not.toContain('#b3261e');
});

test('a long caption is wrapped inside the margins', () => {
  const short = drawFigure(figure(2));
  const long = drawFigure(figure(2, { caption: 'word '.repeat(100).trim() }));
  expect(long.pixels.size[0]).toBeGreaterThan(short.pixels.size[0] + 100);
  expect(long.pixels.size[1]).toBe(short.pixels.size[1]);
});

test('small images are enlarged by a whole factor', () => {
  const [small] = [
    figure(1, {
      columns: [{ image: grey(9, 32), heading: 'a', subheading: 'b' }],
      rows: [{ title: 'A', cells: [{ pixels: grey(8, 32) }] }],
    }),
  ];
  expect(drawFigure(small).pixels.size[1]).toBe(306 + 224 - 10 + 10 + 32 + 26 + 66 + 44);
});

test('text needs no font of the system: it is paths', () => {
  const { svg } = drawFigure(figure(1));
  expect(svg).not.toMatch(/<text|font-family/);
  expect(drawText('Grad-CAM', { size: 20 }, { x: 0, y: 20 })).toMatch(/^<path d="M[^"]{200,}" fill="#1a1a1a"\/>$/);
});

test('text is measured as it is drawn: wider when larger, bold or longer', () => {
  const width = measureText('Score-CAM', { size: 20 });
  expect(width).toBeGreaterThan(90);
  expect(width).toBeLessThan(115);
  expect(measureText('Score-CAM', { size: 40 })).toBeCloseTo(2 * width, 6);
  expect(measureText('Score-CAM', { size: 20, weight: 'bold' })).toBeGreaterThan(width);
});

test('text is wrapped at spaces, and fitted by a smaller size before it is shortened', () => {
  const style = { size: 20 };
  const lines = wrapText('the quick brown fox jumps over the lazy dog', style, 150);
  expect(lines.length).toBeGreaterThan(2);
  expect(lines.join(' ')).toBe('the quick brown fox jumps over the lazy dog');
  expect(lines.every((line) => measureText(line, style) <= 150)).toBe(true);
  expect(fitText('crosshatched', style, 500)).toEqual({ text: 'crosshatched', style });
  const smaller = fitText('crosshatched', style, 110);
  expect(smaller.text).toBe('crosshatched');
  expect(measureText(smaller.text, smaller.style)).toBeLessThanOrEqual(110.001);
  expect(fitText('crosshatched', style, 40).text).toMatch(/^cr.*…$/);
});
