import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeImage, readPicture } from '../src/io/image.ts';

const folder = mkdtempSync(join(tmpdir(), 'cambium-image-'));
const at = (name: string) => join(folder, name);
// 2 rows of 3 pixels, no two alike
const bytes = Uint8Array.from({ length: 18 }, (_, index) => index * 13);
const raw = { raw: { height: 2, width: 3, channels: 3 as const } };
const read = (name: string, size: readonly [number, number] = [2, 3]) => readPicture(at(name), size, 'squash');

beforeAll(async () => {
  await sharp(bytes, raw).png().toFile(at('plain.png'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('a PNG of the wanted size keeps every byte, and is known by name, digest and size', async () => {
  const picture = await read('plain.png');
  expect([...picture.data]).toEqual([...bytes]);
  expect(picture).toMatchObject({ name: 'plain', size: [2, 3], original: [2, 3] });
  expect(picture.sha256).toMatch(/^[0-9a-f]{64}$/);
});

test('a noisy 224×224 PNG keeps every byte, and comes back from our own PNG', async () => {
  let state = 1;
  const noise = Uint8Array.from({ length: 224 * 224 * 3 }, () => {
    state = (state * 48271) % 2147483647;
    return state % 256;
  });
  writeFileSync(at('noise.png'), await encodeImage({ data: noise, size: [224, 224] }, 'png'));
  const { data } = await readPicture(at('noise.png'), [224, 224], 'shorter-side-centre-crop');
  expect(Buffer.from(data).equals(Buffer.from(noise))).toBe(true);
});

test('a colour profile does not change the bytes of a PNG', async () => {
  await sharp(bytes, raw).png().withIccProfile('p3', { attach: true }).toFile(at('p3.png'));
  const stored = await sharp(readFileSync(at('p3.png')), { ignoreIcc: true })
    .raw()
    .toBuffer();
  expect([...(await read('p3.png')).data]).toEqual([...stored]);
});

test.each(['webp', 'tiff', 'gif', 'jpeg', 'avif'] as const)('%s is read', async (format) => {
  const flat = sharp({ create: { width: 16, height: 16, channels: 3, background: { r: 200, g: 40, b: 90 } } });
  await flat.toFormat(format, format === 'gif' ? {} : { quality: 100 }).toFile(at(`flat.${format}`));
  const { data } = await read(`flat.${format}`, [16, 16]);
  for (const [index, expected] of [200, 40, 90].entries())
    expect(Math.abs(data[index] - expected)).toBeLessThanOrEqual(4);
});

test('EXIF orientation 6 is turned upright', async () => {
  // stored 2×3; shown turned by 90° to the right: 3 rows of 2, the first row is the first column from below
  await sharp(bytes, raw).withMetadata({ orientation: 6 }).tiff({ compression: 'none' }).toFile(at('turned.tiff'));
  const picture = await read('turned.tiff', [3, 2]);
  expect(picture.original).toEqual([3, 2]);
  expect([...picture.data.subarray(0, 6)]).toEqual([...bytes.subarray(9, 12), ...bytes.subarray(0, 3)]);
});

test('grey becomes three equal channels', async () => {
  await sharp(Uint8Array.from([0, 7, 130, 255]), { raw: { height: 2, width: 2, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toFile(at('grey.png'));
  expect([...(await read('grey.png', [2, 2])).data]).toEqual([0, 0, 0, 7, 7, 7, 130, 130, 130, 255, 255, 255]);
});

test('transparent pixels stand on white', async () => {
  const rgba = Uint8Array.from([10, 20, 30, 0, 10, 20, 30, 255]);
  await sharp(rgba, { raw: { height: 1, width: 2, channels: 4 } })
    .png()
    .toFile(at('alpha.png'));
  expect([...(await read('alpha.png', [1, 2])).data]).toEqual([255, 255, 255, 10, 20, 30]);
});

test('16 bits keep their upper 8', async () => {
  const deep = Uint16Array.from([0, 0x1234, 0xffff, 0x80ff, 0x7f00, 0x0100]);
  await sharp(deep, { raw: { height: 1, width: 2, channels: 3 } })
    .toColourspace('rgb16')
    .png()
    .toFile(at('deep.png'));
  expect([...(await read('deep.png', [1, 2])).data]).toEqual([0, 0x12, 0xff, 0x80, 0x7f, 0x01]);
});

test('a wide image loses its sides to a centre crop, and is distorted by squashing', async () => {
  // thirds of red, green, blue
  const wide = Uint8Array.from({ length: 30 * 90 * 3 }, (_, index) =>
    Math.floor((Math.floor(index / 3) % 90) / 30) === index % 3 ? 255 : 0,
  );
  await sharp(wide, { raw: { height: 30, width: 90, channels: 3 } })
    .png()
    .toFile(at('wide.png'));
  const crop = await readPicture(at('wide.png'), [10, 10], 'shorter-side-centre-crop');
  // the second and the ninth column: the filter does not reach from there into another third
  const columns = ({ data }: { data: Uint8Array }) => [[...data.subarray(3, 6)], [...data.subarray(24, 27)]];
  expect(columns(crop)).toEqual([
    [0, 255, 0],
    [0, 255, 0],
  ]);
  const squashed = await readPicture(at('wide.png'), [10, 10], 'squash');
  expect(columns(squashed)).toEqual([
    [255, 0, 0],
    [0, 0, 255],
  ]);
});

/** Red in the first row of an image whose rows are all alike, squashed to the given size. */
async function resized(row: readonly number[], size: readonly [number, number]): Promise<number[]> {
  const pixels = Uint8Array.from(
    { length: row.length ** 2 * 3 },
    (_, index) => row[Math.floor(index / 3) % row.length],
  );
  await sharp(pixels, { raw: { height: row.length, width: row.length, channels: 3 } })
    .png()
    .toFile(at('rows.png'));
  const { data } = await read('rows.png', size);
  return Array.from({ length: size[1] }, (_, column) => data[3 * column]);
}

test('a line that is halved in size keeps three eighths and one eighth of its brightness: a triangle, antialiased', async () => {
  // centre 4.5; output centres 1, 3, 5, 7; weight (1 − distance / 2) / 2
  expect(await resized([0, 0, 0, 0, 255, 0, 0, 0], [4, 4])).toEqual([0, 32, 96, 0]);
});

test('an edge that is enlarged becomes a straight slope, without overshoot', async () => {
  const row = await resized([0, 240], [8, 8]);
  expect(row.slice(1).map((value, index) => value - row[index])).toEqual([0, 0, 60, 60, 60, 60, 0]);
  expect([row[0], row[7]]).toEqual([0, 240]);
});

test.each([
  ['jpeg', 1],
  ['jpeg', 6],
  ['webp', 1],
] as const)(
  'a large %s of orientation %d is resized as a PNG of its pixels: no decoder shrinks it first',
  async (format, orientation) => {
    let state = 1;
    const noise = Uint8Array.from({ length: 100 * 160 * 3 }, () => {
      state = (state * 48271) % 2147483647;
      return state % 256;
    });
    await sharp(noise, { raw: { height: 100, width: 160, channels: 3 } })
      .withMetadata({ orientation })
      .toFormat(format, { quality: 95 })
      .toFile(at(`large.${format}`));
    await sharp(at(`large.${format}`))
      .autoOrient()
      .png()
      .toFile(at('large.png'));
    for (const side of [16, 40]) {
      const [decoded, png] = await Promise.all(
        [`large.${format}`, 'large.png'].map((name) => read(name, [side, side])),
      );
      expect(Buffer.from(decoded.data).equals(Buffer.from(png.data))).toBe(true);
    }
  },
);

test('a drawing is read at the size it states, and resized', async () => {
  writeFileSync(
    at('half.svg'),
    '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="32"><rect width="32" height="32" fill="#c80000"/></svg>',
  );
  const { data, original } = await read('half.svg', [8, 8]);
  expect([[...original], [...data.subarray(0, 3)], [...data.subarray(21, 24)]]).toEqual([
    [32, 64],
    [200, 0, 0],
    [255, 255, 255],
  ]);
});

test('a single pixel is enlarged', async () => {
  await sharp(Uint8Array.from([1, 2, 3]), { raw: { height: 1, width: 1, channels: 3 } })
    .png()
    .toFile(at('pixel.png'));
  expect([...(await read('pixel.png', [2, 2])).data]).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3]);
});

test('missing, empty, truncated, foreign and huge files and folders are refused in one sentence', async () => {
  writeFileSync(at('empty.png'), '');
  writeFileSync(at('text.png'), 'no image at all');
  const noise = await sharp(
    Uint8Array.from({ length: 30000 }, (_, index) => (index * 7919) % 251),
    { raw: { height: 100, width: 100, channels: 3 } },
  )
    .png()
    .toBuffer();
  writeFileSync(at('cut.png'), noise.subarray(0, noise.length / 2));
  writeFileSync(at('huge.svg'), '<svg xmlns="http://www.w3.org/2000/svg" width="20000" height="6000"/>');
  mkdirSync(at('folder.png'));
  await expect(read('missing.png')).rejects.toThrow(/missing\.png cannot be read: no such file/);
  await expect(read('empty.png')).rejects.toThrow(/empty\.png is empty/);
  await expect(read('text.png')).rejects.toThrow(/text\.png is not an image/);
  await expect(read('cut.png')).rejects.toThrow(/cut\.png .*damaged/);
  await expect(read('folder.png')).rejects.toThrow(/folder\.png cannot be read: it is a folder/);
  await expect(read('huge.svg')).rejects.toThrow(/20000×6000 pixels \(120 megapixels\); the limit is 100 megapixels/);
});
