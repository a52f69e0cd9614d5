import { formatDuration } from '../duration.ts';

/** A score for people: four significant digits, a true minus, `–` for none. */
export function formatScore(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return minus(value.toExponential(2));
  if (size >= 1000) return minus(Math.round(value).toLocaleString('en-US'));
  return minus(value.toPrecision(size < 0.1 ? 3 : 4));
}

/** A rank or mean of ranks: whole, or with up to two decimals. */
export function formatRank(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : String(Number(value.toFixed(2)));
}

/** A probability of error: three decimals, or `< 0.001`. */
export function formatP(value: number): string {
  return value < 0.001 ? '< 0.001' : value.toFixed(3);
}

/** A count with thin thousands. */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** A share as a percentage. */
export function formatShare(value: number, digits = 1): string {
  return `${(100 * value).toFixed(digits)}\u00a0%`;
}

/** Seconds with as many digits as matter: `0.42 s`, `8.1 s`, `3 min 20 s`. */
export function formatSeconds(value: number): string {
  return value < 10 ? `${Number(value.toPrecision(2))} s` : formatDuration(value);
}

/** `1 image`, `2 images`. */
export function counted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** An ISO 8601 time in UTC: `23 November 2026, 10:48 UTC`; what is no time stays as it is. */
export function formatDateTime(text: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) return text;
  const format = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' });
  return `${format.format(time).replace(' at ', ', ')} UTC`;
}

function minus(text: string): string {
  return text.replace(/^-/, '−').replace('e-', 'e−');
}
