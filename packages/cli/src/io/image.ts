import { readFile, stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import sharp, { type Metadata, type Sharp } from 'sharp';
import { messageOf, UsageError } from '../errors.ts';
import { reasonOf } from './atomic-write.ts';
import { sha256 } from './sha256.ts';

/** Interleaved red, green and blue bytes, row by row. */
export interface Pixels {
  /** height·width·3 */
  readonly data: Uint8Array;
  /** height, width */
  readonly size: readonly [number, number];
}

/** An image file as the network will see it. */
export interface Picture extends Pixels {
  /** Base name without extension: begins the names of the files written for it. */
  readonly name: string;
  readonly file: string;
  /** Of the file's bytes. */
  readonly sha256: string;
  /** height, width of the file's image, upright */
  readonly original: readonly [number, number];
}

/** How an image becomes the network's size: distorted to fit, or its middle at the right proportions. */
export type Resize = 'squash' | 'shorter-side-centre-crop';

/** How many pixels an image may have; above it the file is refused before it is decoded. */
export const PIXEL_LIMIT = 100_000_000;
const BYTE_LIMIT = 512 * 1024 * 1024;

/**
 * Reads an image of any format that sharp knows as RGB bytes of the wanted size.
 *
 * Upright by its EXIF orientation, transparent parts on white, grey as equal channels, 16 bits as their upper 8, the
 * first frame of an animation. RGB colour profiles are not applied, as in Pillow and torchvision. An image that has the
 * wanted size already keeps its bytes; any other is resized by an antialiased linear filter.
 *
 * @param size height and width to deliver
 * @throws UsageError when the file is missing, a folder, empty, not an image, damaged or over `PIXEL_LIMIT`
 */
export async function readPicture(file: string, size: readonly [number, number], resize: Resize): Promise<Picture> {
  const bytes = await readBytes(file);
  const { width, height, space, orientation = 1 } = await readMetadata(file, bytes);
  if (width * height > PIXEL_LIMIT) {
    const megapixels = Math.round((width * height) / 1e6);
    throw new UsageError(
      `${file} has ${width}×${height} pixels (${megapixels} megapixels); the limit is ${PIXEL_LIMIT / 1e6} megapixels. Reduce it first.`,
    );
  }
  const original = orientation > 4 ? ([width, height] as const) : ([height, width] as const); // 5 to 8 turn it by 90°
  const options = { limitInputPixels: PIXEL_LIMIT, ignoreIcc: space !== 'cmyk' };
  let image = sharp(bytes, options).autoOrient().flatten({ background: '#ffffff' }).toColourspace('srgb');
  if (original[0] !== size[0] || original[1] !== size[1]) {
    const fit = resize === 'squash' ? 'fill' : 'cover';
    // cutting out the whole image has the decoder deliver every pixel: left to itself sharp lets those of JPEG and WebP
    // shrink the image by another filter first
    image = image
      .extract({ left: 0, top: 0, width: original[1], height: original[0] })
      .resize({ height: size[0], width: size[1], fit, position: 'centre', kernel: 'linear' });
  }
  const data = await decode(file, image);
  return { name: basename(file, extname(file)), file, sha256: sha256(bytes), original, data, size };
}

/**
 * Reads images, one after the other.
 *
 * @throws UsageError as `readPicture`, for the first that cannot be read
 */
export async function readPictures(
  files: readonly string[],
  size: readonly [number, number],
  resize: Resize,
): Promise<Picture[]> {
  const pictures: Picture[] = [];
  for (const file of files) pictures.push(await readPicture(file, size, resize));
  return pictures;
}

/** Encodes pixels as a PNG or WebP file. */
export async function encodeImage({ data, size }: Pixels, format: 'png' | 'webp'): Promise<Uint8Array> {
  const image = sharp(data, { raw: { height: size[0], width: size[1], channels: 3 } });
  return format === 'png' ? image.png({ compressionLevel: 9 }).toBuffer() : image.webp({ quality: 92 }).toBuffer();
}

/** Draws an SVG document, of the same size, over pixels and encodes the result as PNG. */
export async function encodeWithSvg({ data, size }: Pixels, svg: string): Promise<Uint8Array> {
  return sharp(data, { raw: { height: size[0], width: size[1], channels: 3 } })
    .composite([{ input: Buffer.from(svg) }])
    .removeAlpha()
    .png({ compressionLevel: 9 })
    .toBuffer();
}

/** Version of sharp and the names of the formats it reads here. */
export function imageSupport(): { readonly version: string; readonly formats: readonly string[] } {
  const formats = Object.values(sharp.format).filter((format) => format.input.buffer && format.id !== 'raw');
  return { version: sharp.versions.sharp ?? 'unknown', formats: formats.map((format) => format.id).sort() };
}

async function readBytes(file: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(file);
    if (size > BYTE_LIMIT)
      throw new UsageError(
        `The image ${file} has ${Math.round(size / 2 ** 20)} MiB; the limit is ${BYTE_LIMIT / 2 ** 20} MiB.`,
      );
    const bytes = await readFile(file);
    if (bytes.length === 0) throw new UsageError(`The image ${file} is empty.`);
    return bytes;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`The image ${file} cannot be read: ${reasonOf(error)}.`, { cause: error });
  }
}

async function readMetadata(file: string, bytes: Uint8Array): Promise<Metadata> {
  try {
    return await sharp(bytes, { limitInputPixels: false }).metadata();
  } catch (error) {
    throw unreadable(file, error);
  }
}

async function decode(file: string, image: Sharp): Promise<Uint8Array> {
  try {
    const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
    if (info.channels === 3) return data;
    throw new Error(`decoded to ${info.channels} channels instead of 3`);
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(file: string, error: unknown): UsageError {
  const reason = messageOf(error).split('\n')[0].replace(/\.$/, '');
  return new UsageError(`${file} is not an image that can be read, or it is damaged: ${reason}.`, { cause: error });
}
