import { interpolateTurbo, interpolateViridis } from 'd3-scale-chromatic';

/** 256 colours from the value 0 to the value 1: red, green and blue bytes, one after another. */
export type ColourTable = Uint8Array;

export type ColormapName = keyof typeof colormaps;

/**
 * The colour maps by name.
 *
 * @source turbo: Mikhailov 2019, Google AI Blog; viridis: van der Walt and Smith 2015, Matplotlib; jet: the piecewise
 * linear map of MATLAB, min(4t − 1.5, 4.5 − 4t) for red, a quarter earlier for green and a half earlier for blue
 */
export const colormaps = {
  turbo: tabulate((value) => parseColour(interpolateTurbo(value))),
  viridis: tabulate((value) => parseColour(interpolateViridis(value))),
  jet: tabulate((value) => [3, 2, 1].map((centre) => 255 * clamp(1.5 - Math.abs(4 * value - centre)))),
} as const satisfies { readonly [name: string]: ColourTable };

/** Index in a colour table of a value; values outside [0, 1] take the nearest end, NaN the lower one. */
export function colourIndex(value: number): number {
  return 3 * Math.round(255 * clamp(value));
}

function tabulate(colourAt: (value: number) => readonly number[]): ColourTable {
  const colours = Array.from({ length: 256 }, (_, index) => colourAt(index / 255));
  return Uint8Array.from(colours.flat(), Math.round);
}

// d3 writes a colour as rgb(35, 23, 27) or as #440154
function parseColour(text: string): number[] {
  const hex = /^#(..)(..)(..)$/.exec(text);
  if (hex) return hex.slice(1).map((digits) => Number.parseInt(digits, 16));
  return (text.match(/\d+/g) ?? []).map(Number);
}

function clamp(value: number): number {
  return value > 0 ? Math.min(value, 1) : 0;
}
