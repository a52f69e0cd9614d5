import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { argmax, explain, methods, normalisePixels, ortClassifier, probeImage } from '../../packages/cam/src/index.ts';
import { readPicture } from '../../packages/cli/src/io/image.ts';
import { prepareModel } from '../../packages/cli/src/prepared-model.ts';
import { stack, tensor } from '../../packages/gpu-kernels/src/index.ts';
import { encodeNpz } from './npz.ts';

// Writes what the peers' scripts are given and held to beside the embedded model: the ten images, our logits, and our Score-CAM
// of the first image at layer4 in the popular package's form. About two minutes on two CPU cores.
//
//     node --conditions=source bench/peers/export.ts peers.npz

const [target] = process.argv.slice(2);
if (!target) {
  console.error('Usage: node --conditions=source bench/peers/export.ts OUT.npz');
  process.exit(2);
}
const { graph, mean, std, resize, labels } = await prepareModel({}, folderOf('../../models'));
const [, height, width] = graph.input.shape;
const images = await Promise.all(
  labels.map(async (label) => {
    const { data, size } = await readPicture(
      folderOf(`../../test-fixtures/images/${label}.png`),
      [height, width],
      resize,
    );
    return normalisePixels(data, size, { mean, std });
  }),
);
await using classifier = ortClassifier(graph);
const batch = stack(images);
const logits = await classifier.predict(batch);
const shown = await probeImage(classifier, images[0], { layers: ['layer4'], onMasked: report });
const probe = await shown.at('layer4', argmax(shown.logits));
const { map } = await explain(probe, methods['score-cam'], { variant: 'pytorch-grad-cam' });

const bytes = encodeNpz(
  new Map([
    ['images', batch],
    ['logits', logits],
    ['map', map],
    ['target', tensor([probe.target], [1])],
  ]),
);
await writeFile(target, bytes);
console.log(`${basename(target)}: ${images.length} images, ${(bytes.length / 1e6).toFixed(1)} MB`);

function folderOf(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

function report(done: number, total: number): void {
  if (done % 256 === 0) console.log(`Score-CAM: ${done} of ${total} masked images`);
}
