import { readModel } from '@cambium/cam';
import { tensor } from '@cambium/gpu-kernels';
import { expect, test } from 'vitest';
import type { Picture } from '../src/io/image.ts';
import { colormaps } from '../src/render/colormap.ts';
import { type FigureFinding, type FigureJob, studyFigure } from '../src/study-figure.ts';
import { chooseTechniques } from '../src/techniques.ts';
import { tinyNetwork } from './support/tiny-networks.ts';

const picture: Picture = {
  name: 'a_1',
  file: 'a_1.png',
  sha256: '0'.repeat(64),
  original: [1, 2],
  size: [1, 2],
  data: Uint8Array.from([100, 100, 100, 200, 200, 200]),
};
const job: FigureJob = {
  model: {
    file: { name: 'tiny', path: 'tiny.onnx', sha256: '0123456789abcdef'.repeat(4) },
    graph: readModel(tinyNetwork()),
    labels: ['a', 'b', 'c'],
    mean: [0, 0, 0],
    std: [1, 1, 1],
    resize: 'squash',
    notes: [],
  },
  pictures: [picture],
  techniques: chooseTechniques({ methods: ['score-cam'], variant: 'faster', channels: 4 }),
  classifier: { device: 'onnxruntime cpu' },
};
const layer = { name: 'layer4', value: 'layer4' };
const finding: FigureFinding = {
  picture,
  layer,
  shape: [6, 4, 4],
  predicted: { index: 1, label: 'b', probability: 0.5 },
  technique: job.techniques[0],
  explanation: { map: tensor([0, 1], [1, 2]), degenerate: false },
};

test('the caption says what share of a cell is the colour of the map, and the cell has that share', () => {
  const { caption, rows } = studyFigure(job, layer, [finding]);
  const [, percent] = /drawn in colour at (\d+) % over a grey copy/.exec(caption) ?? [];
  const share = Number(percent) / 100;
  const [first, last] = [colormaps.turbo.slice(0, 3), colormaps.turbo.slice(-3)];
  const expected = [...[...first].map((colour) => [100, colour]), ...[...last].map((colour) => [200, colour])];
  expect([...rows[0].cells[0].pixels.data]).toEqual(
    expected.map(([grey, colour]) => Math.round((1 - share) * grey + share * colour)),
  );
});

test('the caption names the model, the layer, the form of Score-CAM and what it was made with', () => {
  const { caption, columns } = studyFigure(job, layer, [finding]);
  expect(caption).toContain('of tiny at layer4 (value layer4: 6 channels of 4×4)');
  expect(caption).toContain('Score-CAM (faster) masks the image with 4 of the 6 channels, those that vary most.');
  expect(caption).toContain('Model sha256 0123456789ab…, onnxruntime cpu 1.');
  expect(columns[0]).toMatchObject({ heading: 'b', subheading: '50.0 %', fault: 'labelled a' });
});
