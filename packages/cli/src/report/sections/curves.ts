import type { VNode } from 'preact';
import { averageCurves, criteriaWithCurves } from '../analysis/average-curves.ts';
import { meanCurves } from '../charts/mean-curves.ts';
import { chartGrid, type ReportContext } from '../context.ts';
import { html, type Section } from '../html.ts';
import { entrantsAt } from '../study.ts';

/** The curves behind the scores that have them. */
export async function curvesSection({ study, chart }: ReportContext): Promise<Section> {
  const charts: VNode[] = [];
  for (const criterion of criteriaWithCurves(study)) {
    for (const layer of study.layers) {
      const curves = averageCurves(study, criterion, entrantsAt(study, layer));
      if (curves.length > 0) charts.push(await chart(meanCurves(study, { criterion, layer, curves })));
    }
  }
  return {
    id: 'curves',
    title: 'Perturbation curves',
    body:
      charts.length === 0
        ? html`<p class="note">No metric of this suite leaves a curve; region-perturbation, pixel-flipping, insertion and deletion do.</p>`
        : chartGrid(
            'The mean probability of the class over the images as more and more of the image is replaced, with its 95 % bootstrap band. In the legend the mean score of each technique: for region perturbation the AOPC, the mean drop. With the most relevant regions first a good map makes the curve fall fast and early; one that falls no faster than that of a random map found nothing.',
            charts,
          ),
  };
}
