import { NameError } from '@cambium/cam';
import { UsageError } from './errors.ts';
import { PIXEL_LIMIT } from './io/image.ts';

/** Reads a positive whole number. @throws UsageError naming the flag */
export function wholeNumber(flag: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError(`${flag} takes a whole number from 1, got "${text}".`);
}

/** Reads a seed, a whole number from 0 to 2³² − 1. @throws UsageError naming the flag */
export function seedNumber(flag: string, text: string): number {
  if (/^\d{1,10}$/.test(text) && Number(text) < 2 ** 32) return Number(text);
  throw new UsageError(`${flag} takes a whole number from 0 to 4294967295, got "${text}".`);
}

/** Reads a number from 0 to 1. @throws UsageError naming the flag */
export function share(flag: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new UsageError(`${flag} takes a number from 0 to 1, got "${text}".`);
}

/** Reads a size such as `224x224`, height first, of `PIXEL_LIMIT` pixels at most. @throws UsageError naming the flag */
export function imageSize(flag: string, text: string): readonly [number, number] {
  const sides = /^(\d{1,9})[x×](\d{1,9})$/i.exec(text);
  const [height, width] = [Number(sides?.[1] ?? 0), Number(sides?.[2] ?? 0)];
  if (height * width === 0) {
    throw new UsageError(`${flag} takes height x width in pixels, such as 224x224, got "${text}".`);
  }
  if (height * width <= PIXEL_LIMIT) return [height, width];
  throw new UsageError(
    `${flag} ${text} would be ${Math.ceil((height * width) / 1e6)} megapixels; the limit is ${PIXEL_LIMIT / 1e6} megapixels. Take a smaller size.`,
  );
}

/** Reads one number for each of red, green and blue; one number alone serves all. @throws UsageError naming the flag */
export function threeNumbers(flag: '--mean' | '--std', text: string): readonly number[] {
  const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const usable = numbers.every((value) => Number.isFinite(value) && (flag === '--mean' || value > 0));
  if (usable && numbers.length === 1) return [numbers[0], numbers[0], numbers[0]];
  if (usable && numbers.length === 3) return numbers;
  throw new UsageError(
    `${flag} takes three ${flag === '--std' ? 'positive ' : ''}numbers with commas, such as ${EXAMPLES[flag]}, got "${text}".`,
  );
}

/** One of a list of names. @throws NameError with the nearest names */
export function oneOf<Name extends string>(kind: string, text: string, choices: readonly Name[]): Name {
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  throw new NameError(kind, text, choices);
}

/** Of u8/255: ImageNet's. */
const EXAMPLES = { '--mean': '0.485,0.456,0.406', '--std': '0.229,0.224,0.225' };
