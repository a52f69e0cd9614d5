import type { Spec } from 'vega';
import type { TopLevelSpec } from 'vega-lite';
import type { DataTable } from '../data-table.ts';

/** A chart before it is drawn. */
export interface Chart {
  /** Name of its files; unique in a report. */
  readonly id: string;
  readonly title: string;
  /** What the chart shows, for those who cannot see it. */
  readonly description: string;
  /** Vega-Lite, or Vega where that cannot draw it. */
  readonly spec: { readonly lite: TopLevelSpec } | { readonly vega: Spec };
  /** The numbers behind it, for download. */
  readonly data: DataTable;
}

/** A chart as a picture. */
export interface DrawnChart extends Chart {
  /** A document of its own, in light colours. */
  readonly svg: string;
}
