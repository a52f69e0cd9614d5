import { type Classifier, explain, listLayers, methods, probeImage, readModel, webgpuClassifier } from '@cambium/cam';
import { type Conv2dHalf, conv2dHalf, numpyRandom, type OpenedDevice, rows, uniformTensor } from '@cambium/gpu-kernels';
import { mapDifference } from '@cambium/metrics';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { otherNetworks } from '../../cam/test/support/other-networks.ts';
import { pytorchNetworks } from '../../cam/test/support/pytorch-networks.ts';
import { tensorflowNetworks } from '../../cam/test/support/tensorflow-networks.ts';
import { tinyNetworks } from '../../cam/test/support/tiny-nets.ts';
import { tinyResnet } from '../../cam/test/support/tiny-resnet.ts';
import { describeGpu } from '../../gpu-kernels/test/support/describe-gpu.ts';
import { requireHalves } from '../src/open-classifier.ts';

/** What the kernels do not compute, as in forward.test.ts. */
const beyond = /patch tokens|resize and transposed|a subgraph|a function of its own|another domain/;
const fromExporters = [...pytorchNetworks, ...tensorflowNetworks, ...otherNetworks]
  .filter(({ title }) => !beyond.test(title))
  .map(({ title, bytes }) => [title, readModel(bytes, { size: [8, 8] })] as const);
const networks = [
  ['tiny residual network', tinyResnet()] as const,
  ...Object.entries(tinyNetworks).map(([file, bytes]) => [file, readModel(bytes())] as const),
  ...fromExporters,
];

describeGpu('in half precision', ({ open }) => {
  let opened: OpenedDevice;
  let compared = 0;
  beforeAll(async () => {
    opened = await open();
  });
  afterAll(() => opened.close());

  test.each(networks)('Score-CAM of %s is that of float32', async (_, graph) => {
    const [shown] = listLayers(graph).slice(-1);
    if (!shown) return; // no value with height and width: nothing to draw
    const images = uniformTensor(numpyRandom(6), [2, ...graph.input.shape], -2, 2);
    for (const image of [rows(images, 0, 1), rows(images, 1, 2)]) {
      const maps = [];
      for (const precision of ['f32', 'f16'] as const) {
        await using classifier: Classifier = webgpuClassifier(graph, opened, { precision });
        const probe = await probeImage(classifier, image, { layers: [shown.value] });
        maps.push(await explain(await probe.at(shown.value, 0), methods['score-cam']));
      }
      const [single, half] = maps;
      expect(half.degenerate).toBe(single.degenerate);
      if (single.degenerate) continue; // constant: no order of its numbers to compare
      compared++;
      const { largest, spearman } = mapDifference(half.map, single.map);
      expect(largest).toBeLessThan(2e-2);
      expect(spearman).toBeGreaterThan(0.999);
    }
  });

  test('most of these maps say something', () => expect(compared).toBeGreaterThan(networks.length));

  describe('the test before it', () => {
    const idle: Conv2dHalf = { ...conv2dHalf, name: 'idle', wgsl: '@compute @workgroup_size(1) fn main() {}' };

    test('lets a device pass that computes halves right', () => requireHalves(opened));

    test('refuses one that gets any program wrong, and names it', async () => {
      const refused = requireHalves(opened, [conv2dHalf, idle]);
      await expect(refused).rejects.toThrow(/^--precision f16: .* computes halves wrong in idle \(.*Use f32\.$/);
    });
  });
});
