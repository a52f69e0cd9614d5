import type { VNode } from 'preact';
import type { ReportContext } from '../context.ts';
import { html, type Section } from '../html.ts';
import { counted, formatRank, formatScore } from '../numbers.ts';
import type { Study } from '../study.ts';
import { pageTable } from './table.ts';

/** What the numbers were held to: on this machine when the run began, and against the peers' code by the tests. */
export function checksSection({ study }: ReportContext): Section {
  const number = true as const;
  const own = study.parts.flatMap(({ run }) =>
    (run.checks ?? []).map((check) => [
      html`${check.name}${study.parts.length > 1 && html`<small> shard ${run.shard.index}</small>`}`,
      check.difference.toExponential(1),
      check.tolerance.toExponential(0),
      check.spearman === undefined ? '–' : check.spearman.toFixed(5),
      check.difference <= check.tolerance ? '✔ within' : html`<b class="wrong">✖ outside</b>`,
    ]),
  );
  return {
    id: 'checks',
    title: 'Numerical checks',
    body: html`<h3>On this machine</h3>
      ${
        own.length === 0
          ? html`<p class="note">The run recorded no self test; <code>cambium doctor</code> makes one.</p>`
          : pageTable(
              'Self test',
              [
                { head: 'Compared' },
                { head: 'Largest difference', number },
                { head: 'Tolerance', number },
                { head: 'Spearman', number },
                { head: 'Verdict' },
              ],
              own,
            )
      }
      ${placesTable(study)}
      <h3>Against the peers’ code</h3>
      ${pageTable(
        'Agreement with peers',
        [{ head: 'Compared' }, { head: 'With' }, { head: 'Map', number }, { head: 'Weights or scores', number }],
        PEERS,
      )}
      <p class="caption"><b>How to read it.</b> Largest differences between Cambium and what the peers’ own code gave on the embedded model, maps from 0 to 1: three images, three layers, two classes, on the CPU. Metrics are held to Quantus on small linear models, where no network’s rounding gets in between. The numbers are those of Cambium’s own tests; they are about its code, not about this run’s model.</p>`,
  };
}

/** Whether the order of the techniques hangs on device and precision. */
function placesTable({ parts }: Study): VNode | null {
  const number = true as const;
  const rows = parts.flatMap(({ run }) =>
    (run.places ?? []).flatMap(({ layer, image, criterion, techniques }) =>
      techniques.map(({ title, own, reference, place, referencePlace }) => [
        `${layer}, ${image}`,
        title,
        criterion,
        formatScore(reference),
        formatScore(own),
        formatRank(referencePlace),
        place === referencePlace ? formatRank(place) : html`<b>${formatRank(place)}</b>`,
      ]),
    ),
  );
  if (rows.length === 0) return null;
  const all = parts.flatMap(({ run }) => (run.places ?? []).flatMap(({ techniques }) => techniques));
  const moved = all.filter(({ place, referencePlace }) => place !== referencePlace).length;
  return html`<h3>What device and precision do to the order of the techniques</h3>
    <p>${moved} of ${counted(all.length, 'place')} are others than ONNX Runtime gives in float32 on the CPU.</p>
    ${pageTable(
      'Places by precision',
      [
        { head: 'Layer and image' },
        { head: 'Technique' },
        { head: 'Score' },
        { head: 'In float32', number },
        { head: 'In this run', number },
        { head: 'Place in float32', number },
        { head: 'Place in this run', number },
      ],
      rows,
    )}
    <p class="caption"><b>How to read it.</b> The first images, at most three, are scored in a few steps before the run begins, the maps and scores of either made by itself. For whole studies <code>cambium compare</code> tells the same of two runs.</p>`;
}

/** As measured by the tests of the cam and metrics packages; the README has the same table. */
const PEERS = [
  ['logits', 'PyTorch 1.13', '–', '6e-7'],
  ['Grad-CAM', 'pytorch-grad-cam 084273b', '8e-5', '6e-5 of the largest'],
  ['Grad-CAM++', 'pytorch-grad-cam 084273b', '3e-6', '7e-5 of the largest'],
  ['Score-CAM, pytorch-grad-cam', 'pytorch-grad-cam 084273b', '2e-6', '3e-7'],
  ['Score-CAM, author', 'its authors’ code d312f14', '< 1e-3 (bound)', '9e-7'],
  ['Relevance-CAM', 'its authors’ code 49b03bd', '1e-6', '3e-6 of the largest'],
  ['the study’s five metrics', 'Quantus 85bc29d', '–', '< 1e-5 (bound)'],
];
