import { readFileSync } from 'node:fs';
import { numpyRandom, uniformTensor } from '@cambium/gpu-kernels';
import { explain, loadModel, methods, ortClassifier, probeImage } from '../src/index.ts';

// Prints the largest resident memory, in MB, of a process that makes one Score-CAM map with every channel of layer4.
const classifier = ortClassifier(await loadModel(process.argv[2]));
const image = uniformTensor(numpyRandom(1), [1, 3, 224, 224], -2, 2);
const probe = await probeImage(classifier, image, { layers: ['layer4'] });
await explain(await probe.at('layer4', 0), methods['score-cam']);
await classifier.close();
console.log(peakMegabytes());

/** Linux keeps a process's own peak; the portable number may be its parent's, which it inherits. */
function peakMegabytes(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS / 1024;
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
}
