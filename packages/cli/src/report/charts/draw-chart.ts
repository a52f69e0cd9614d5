import { parse, resetSVGDefIds, textMetrics, View } from 'vega';
import { compile } from 'vega-lite';
import { measureText } from '../../render/text.ts';
import type { Chart, DrawnChart } from './chart.ts';
import { chartConfig, withPageColours } from './theme.ts';

/** Draws a chart without a browser. The same chart gives the same picture. */
export async function drawChart(chart: Chart): Promise<DrawnChart> {
  measureWithFont();
  const spec = 'lite' in chart.spec ? compile(chart.spec.lite).spec : chart.spec.vega;
  const view = new View(parse(spec, chartConfig), { renderer: 'none' });
  try {
    await view.runAsync();
    resetSVGDefIds(); // else ids would depend on the charts drawn before
    return { ...chart, svg: await view.toSVG() };
  } finally {
    view.finalize();
  }
}

/** The chart's Vega or Vega-Lite JSON with the look it was drawn with, and the name of its file. */
export function chartSource({ id, spec }: Chart): { readonly file: string; readonly json: object } {
  if ('lite' in spec) return { file: `${id}.vl.json`, json: { $schema: LITE_SCHEMA, ...spec.lite } };
  return { file: `${id}.vg.json`, json: { $schema: VEGA_SCHEMA, ...spec.vega, config: chartConfig } };
}

/** The drawing as a part of the page: as wide as there is room, in the page's colours, its alt text its only words. */
export function inlineSvg({ id, svg, description }: DrawnChart): string {
  const open = /<svg[^>]*>/.exec(svg);
  const box = /viewBox="([^"]*)"/.exec(open?.[0] ?? '');
  const width = box?.[1].split(' ')[2];
  if (!open || !width) throw new Error('inlineSvg expected an SVG document with a viewBox from Vega, got none.');
  const body = svg
    .slice(open.index + open[0].length)
    .replace(/^<rect width="[^>]*\/>/, '') // the paper
    .replace(/(\bid="|url\(#)((?:clip|gradient)_?\d+)/g, `$1${id}-$2`); // ids are unique in a page
  const label = description.replace(/[&"<]/g, (letter) => `&#${letter.charCodeAt(0)};`);
  return withPageColours(
    `<svg viewBox="${box[1]}" style="max-width:${width}px" role="img" aria-label="${label}">${body}`,
  );
}

// Vega measures text on a canvas, which Node.js lacks; its own guess is a third too wide
function measureWithFont(): void {
  textMetrics.width = (item: { fontSize?: number; fontWeight?: string | number }, text: unknown) => {
    const bold = item.fontWeight === 'bold' || Number(item.fontWeight) >= 600;
    const style = { size: item.fontSize ?? 11, weight: bold ? 'bold' : 'regular' } as const;
    return INTER_TO_DEJAVU * measureText(String(text ?? ''), style);
  };
}

const INTER_TO_DEJAVU = 0.93; // Inter is that much narrower
const LITE_SCHEMA = 'https://vega.github.io/schema/vega-lite/v6.json';
const VEGA_SCHEMA = 'https://vega.github.io/schema/vega/v6.json';
