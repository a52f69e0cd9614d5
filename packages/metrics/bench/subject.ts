import { numpyRandom, type Predict, rows, type Tensor, tensor, uniformTensor, zeros } from '@cambium/gpu-kernels';
import { type Subject, sweepCache } from '../src/index.ts';

const SIDE = 224;
const CLASSES = 10;

/** Adds up every 147th number of an image: as good as free, and whatever is replaced shows. */
const predict: Predict = async (batch) => {
  const logits = zeros(batch.shape[0], CLASSES);
  for (let row = 0; row < batch.shape[0]; row++) {
    const { data } = rows(batch, row, row + 1);
    for (let index = 0; index < data.length; index += 147) logits.data[row * CLASSES] += data[index] / 1024;
  }
  return logits;
};

/**
 * A subject of 3×224×224 whose classifier and explainer cost nothing, with a smooth map, a mask and two companions.
 *
 * @param onPredict told how many images are classified, the companions' included
 */
export function benchSubject(onPredict: (images: number) => void = () => {}): Subject {
  const image = uniformTensor(numpyRandom(1), [3, SIDE, SIDE], 1, 2); // away from 0, so noise changes no class
  const map = bump(0.4);
  const other = bump(0.6);
  const subject = {
    image,
    map,
    target: 0,
    predict: (batch: Tensor) => {
      onPredict(batch.shape[0]);
      return predict(batch);
    },
    explain: async () => other,
    mask: tensor(
      map.data.map((_, pixel) => Number(pixel < map.data.length / 2)), // two quadrants
      map.shape,
    ),
    randomise: {
      layers: Array.from({ length: 54 }, (_, layer) => String(layer)), // a ResNet-50's
      explainer: async () => async () => other,
    },
  };
  const cached = { ...subject, sweeps: sweepCache() };
  // other images, each with a cache of its own
  const others = [other, bump(0.5)].map((own) => {
    const shown = uniformTensor(numpyRandom(1), image.shape, 1, 2);
    return { ...subject, image: shown, map: own, sweeps: sweepCache() };
  });
  return { ...cached, companions: [cached, ...others] };
}

/** A bump whose middle lies at this share of the sides. */
function bump(middle: number): Tensor {
  const at = (position: number) => Math.exp(-(((position / SIDE - middle) / 0.2) ** 2));
  return tensor(
    Array.from({ length: SIDE * SIDE }, (_, pixel) => at(Math.floor(pixel / SIDE)) * at(pixel % SIDE)),
    [SIDE, SIDE],
  );
}
