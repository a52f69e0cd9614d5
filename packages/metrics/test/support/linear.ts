import { type Predict, rows, type Tensor, tensor } from '@cambium/gpu-kernels';
import type { Explain } from '../../src/index.ts';

/** A linear network, logits = W·flatten(x) + b, and the explainer that reads its weights. */
export interface LinearModel {
  readonly predict: Predict;
  /** Relevance of a pixel: what its channels add to the logit, where that is positive. */
  readonly explain: Explain;
}

/** @param weights K×(C·H·W) @param bias K numbers, or zeros */
export function linearModel(weights: Tensor, bias?: Tensor): LinearModel {
  const [classes, features] = weights.shape;
  return {
    async predict(batch) {
      const logits = new Float32Array(batch.shape[0] * classes);
      for (let row = 0; row < logits.length; row++) {
        const image = Math.floor(row / classes) * features;
        let sum = bias?.data[row % classes] ?? 0;
        for (let at = 0; at < features; at++)
          sum += weights.data[(row % classes) * features + at] * batch.data[image + at];
        logits[row] = sum;
      }
      return tensor(logits, [batch.shape[0], classes]);
    },
    async explain(image, target) {
      const [channels, height, width] = image.shape;
      const map = new Float32Array(height * width);
      for (let pixel = 0; pixel < map.length; pixel++) {
        let sum = 0;
        for (let channel = 0; channel < channels; channel++) {
          const feature = channel * map.length + pixel;
          sum += weights.data[target * features + feature] * image.data[feature];
        }
        map[pixel] = Math.max(0, sum);
      }
      return tensor(map, [height, width]);
    },
  };
}

/** One image or map of a batch: B×…  →  … */
export function item(batch: Tensor, index: number, shape = batch.shape.slice(1)): Tensor {
  return tensor(rows(batch, index, index + 1).data, shape);
}
