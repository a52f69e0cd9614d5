import type { TechniqueRecord } from '../../study/records.ts';

/** A colour on paper, and the one that stands for it on a dark page. */
interface Ink {
  readonly light: string;
  readonly dark: string;
}

/** Every colour of charts and page, by the name of its CSS variable. Light colours are told apart by their digits. */
export const inks = {
  paper: { light: '#ffffff', dark: '#14171c' },
  text: { light: '#1b2330', dark: '#e7eaf0' },
  muted: { light: '#5b6575', dark: '#9aa5b5' },
  line: { light: '#dfe3ea', dark: '#303743' },
  accent: { light: '#2459c4', dark: '#86aefc' },
  'series-1': { light: '#2f6bd0', dark: '#6ea3ff' },
  'series-2': { light: '#d86a0b', dark: '#ffa14f' },
  'series-3': { light: '#18875d', dark: '#4fcb98' },
  'series-4': { light: '#8f4bbf', dark: '#c894f2' },
  'series-5': { light: '#c2335f', dark: '#ff8fae' },
  'series-6': { light: '#0d8b9e', dark: '#54cde0' },
  'series-7': { light: '#8c7a12', dark: '#d8c653' },
  'series-8': { light: '#7d5437', dark: '#d3a27f' },
  baseline: { light: '#7c8798', dark: '#a3adbb' },
} as const satisfies { readonly [name: string]: Ink };

/** Sans serif of the page and of charts; Inter comes with the page. */
export const FONT = "Inter, 'Helvetica Neue', Arial, sans-serif";

/** The CSS variables of one of the two appearances. */
export function cssVariables(appearance: keyof Ink): string {
  return Object.entries(inks)
    .map(([name, ink]) => `--${name}:${ink[appearance]};`)
    .join('');
}

/** A colour for each technique, the same in every chart; grey for those that measure nothing but chance. */
export function colourScale(
  techniques: readonly TechniqueRecord[],
  titles: readonly string[],
): { domain: string[]; range: string[] } {
  let next = 0;
  const range: string[] = techniques.map(({ method }) =>
    YARDSTICKS.has(method) ? inks.baseline.light : SERIES[next++ % SERIES.length],
  );
  return { domain: [...titles], range };
}

/** Replaces the light colours of a drawn chart by the page's variables. */
export function withPageColours(svg: string): string {
  return svg.replace(/(fill|stroke)="(#[0-9a-f]{6})"/g, (whole, attribute: string, colour: string) => {
    const name = NAMES.get(colour);
    return name === undefined ? whole : `${attribute}="var(--${name})"`;
  });
}

/** Settings of Vega and Vega-Lite that give all charts one look. */
export const chartConfig = {
  background: inks.paper.light,
  font: FONT,
  aria: false, // the whole picture has an alt text
  view: { stroke: null },
  axis: {
    labelColor: inks.muted.light,
    titleColor: inks.muted.light,
    labelFont: FONT,
    titleFont: FONT,
    labelFontSize: 11,
    titleFontSize: 11,
    titleFontWeight: 500,
    titlePadding: 8,
    labelPadding: 6,
    gridColor: inks.line.light,
    domainColor: inks.line.light,
    tickColor: inks.line.light,
    ticks: false,
    domain: false,
    labelLimit: 170,
  },
  legend: {
    labelColor: inks.text.light,
    labelFont: FONT,
    labelFontSize: 11,
    labelLimit: 240,
    symbolSize: 80,
    symbolType: 'circle',
    symbolStrokeWidth: 2,
    title: null,
    orient: 'bottom',
    columnPadding: 14,
    rowPadding: 4,
  },
  text: { font: FONT, fontSize: 11, fill: inks.text.light },
} as const;

const YARDSTICKS: ReadonlySet<string> = new Set(['random-cam']);
const SERIES = Object.entries(inks).flatMap(([name, { light }]) => (name.startsWith('series-') ? [light] : []));
const NAMES = new Map<string, string>(Object.entries(inks).map(([name, { light }]) => [light, name]));
