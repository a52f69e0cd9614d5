import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { openFolder, writeAtomically } from '../io/atomic-write.ts';
import { fileSafe } from '../outputs.ts';
import { colormaps } from '../render/colormap.ts';
import { files } from '../study/run-files.ts';
import { judgeImages } from './analysis/judge-images.ts';
import { chartSource } from './charts/draw-chart.ts';
import { chartCsv, openContext, type ReportContext } from './context.ts';
import { toCsv, toMarkdown } from './data-table.ts';
import type { Section } from './html.ts';
import { renderPage } from './page.ts';
import { readPictures } from './read-pictures.ts';
import { agreementSection } from './sections/agreement.ts';
import { checksSection } from './sections/checks.ts';
import { costSection } from './sections/cost.ts';
import { curvesSection } from './sections/curves.ts';
import { figuresSection } from './sections/figures.ts';
import { imagesSection } from './sections/images.ts';
import { layersSection } from './sections/layers.ts';
import { provenanceSection } from './sections/provenance.ts';
import { radarSection, ranksSection } from './sections/ranks.ts';
import { scoresSection } from './sections/scores.ts';
import { significanceSection } from './sections/significance.ts';
import type { Study } from './study.ts';

/**
 * Writes `report.html` and, beside it, every table as CSV and Markdown in `tables/` and every chart as SVG, Vega
 * specification and CSV in `charts/`.
 *
 * @returns the path of the page
 * @throws UsageError when a file cannot be written
 */
export async function writeReport(study: Study, folder: string): Promise<string> {
  const pictures = await readPictures(study, colormaps.turbo);
  const context = openContext(study, pictures, judgeImages(study, pictures.coarse));
  const sections: Section[] = [];
  for (const section of SECTIONS) sections.push(await section(context));
  const page = renderPage(context, sections, await readFont());
  await writeBeside(context, folder);
  const path = join(folder, files.report);
  await writeAtomically(path, page);
  return path;
}

async function writeBeside({ charts, tables }: ReportContext, folder: string): Promise<void> {
  for (const name of ['charts', 'tables']) await openFolder(join(folder, name));
  for (const chart of charts) {
    const { file, json } = chartSource(chart);
    await writeAtomically(join(folder, 'charts', `${chart.id}.svg`), chart.svg);
    await writeAtomically(join(folder, 'charts', file), `${JSON.stringify(json, null, 2)}\n`);
    await writeAtomically(join(folder, 'charts', `${chart.id}.csv`), chartCsv(chart));
  }
  for (const [name, table] of tables) {
    await writeAtomically(join(folder, 'tables', `${fileSafe(name)}.csv`), toCsv(table));
    await writeAtomically(join(folder, 'tables', `${fileSafe(name)}.md`), toMarkdown(table));
  }
}

async function readFont(): Promise<string> {
  const file = createRequire(import.meta.url).resolve(FONT_FILE);
  return `data:font/woff2;base64,${(await readFile(file)).toString('base64')}`;
}

const FONT_FILE = '@fontsource-variable/inter/files/inter-latin-wght-normal.woff2';

// in the order of the page, after its header
const SECTIONS: readonly ((context: ReportContext) => Section | Promise<Section>)[] = [
  figuresSection,
  ranksSection,
  radarSection,
  scoresSection,
  significanceSection,
  curvesSection,
  layersSection,
  agreementSection,
  costSection,
  imagesSection,
  checksSection,
  provenanceSection,
];
