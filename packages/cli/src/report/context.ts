import type { VNode } from 'preact';
import { fileSafe } from '../outputs.ts';
import type { ImageJudgement } from './analysis/judge-images.ts';
import type { Chart, DrawnChart } from './charts/chart.ts';
import { drawChart, inlineSvg } from './charts/draw-chart.ts';
import { type DataTable, toCsv } from './data-table.ts';
import { html, trusted } from './html.ts';
import type { Pictures } from './read-pictures.ts';
import type { Study } from './study.ts';

/** What the sections of a report are made from, and where they leave the files that go with it. */
export interface ReportContext {
  readonly study: Study;
  readonly pictures: Pictures;
  readonly judgements: readonly ImageJudgement[];
  /** Draws a chart, keeps it for the folder of charts and gives the figure for the page. */
  chart(chart: Chart): Promise<VNode>;
  /** Keeps a table for the folder of tables. */
  keep(name: string, table: DataTable): void;
  readonly charts: DrawnChart[];
  readonly tables: Map<string, DataTable>;
}

/** Begins a report without charts and tables. */
export function openContext(study: Study, pictures: Pictures, judgements: readonly ImageJudgement[]): ReportContext {
  const charts: DrawnChart[] = [];
  const tables = new Map<string, DataTable>();
  return {
    study,
    pictures,
    judgements,
    charts,
    tables,
    keep: (name, table) => void tables.set(name, table),
    async chart(chart) {
      const drawn = await drawChart({ ...chart, id: fileSafe(chart.id) });
      charts.push(drawn);
      return figureOf(drawn, charts.length);
    },
  };
}

/** Charts side by side under a caption that says how to read them. */
export function chartGrid(caption: string, charts: readonly VNode[]): VNode {
  return html`<div class="charts">${charts}</div><p class="caption"><b>How to read it.</b> ${caption}</p>`;
}

// the script fills in what the three buttons save; without it they lead to the files beside the page
function figureOf(chart: DrawnChart, number: number): VNode {
  const save = (kind: string, file: string, words: string) =>
    html`<a class="save" data-save=${kind} href=${`charts/${file}`} download=${file} title=${`Download ${words}`}>${kind}</a>`;
  const source = 'lite' in chart.spec ? 'vl' : 'vg';
  return html`<figure class="chart" id=${`chart-${number}`} data-chart=${chart.id}>
    <figcaption>
      <span class="chart-title">${chart.title}</span>
      <span class="saves">
        ${save('SVG', `${chart.id}.svg`, 'the picture')}
        ${save('Spec', `${chart.id}.${source}.json`, 'the Vega specification')}
        ${save('CSV', `${chart.id}.csv`, 'the numbers')}
      </span>
    </figcaption>
    ${trusted('div', { class: 'drawing' }, inlineSvg(chart))}
  </figure>`;
}

/** The numbers behind a chart, as its CSV file holds them. */
export function chartCsv({ data }: Chart): string {
  return toCsv(data);
}
