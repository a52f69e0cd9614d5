import { type Pair, placeWindows } from '../kernels/window.ts';
import { uniformTensor } from '../random.ts';
import { channelsRead } from './conv2d-half-plan.ts';
import type { MatrixConvolution } from './conv2d-matrix.ts';
import { toHalves } from './half.ts';
import { packFilterPairsEvenHalf, packFilterPairsOddHalf, pairsOf } from './pack-filter-pairs-half.ts';

type Options = Parameters<MatrixConvolution['plan']>[1];

/**
 * A convolution of images of four channels, the first of a network, as one of half as wide images of eight: in memory two pixels of
 * four channels are one of eight. Its program then brings eight channels at a time, as all others do.
 *
 * It takes windows that step by two columns, in images of an even width. A window begins at an even column: where the padding on the
 * left is odd, a column of zeros stands before the filters, and one after them where that leaves an odd number.
 *
 * @param program one that brings eight channels at a time
 * @param isOdd whether it is for an odd padding on the left
 */
export function inPairs(program: MatrixConvolution, isOdd: boolean): MatrixConvolution {
  const name = `${program.name}pairs${isOdd ? 'Odd' : 'Even'}`;
  const takes = ({ strides, dilations, pads }: Options, width: number) =>
    strides[1] === 2 && dilations[1] === 1 && pads[1] % 2 === Number(isOdd) && width % 2 === 0;
  return {
    ...program,
    name,
    filters: isOdd ? packFilterPairsOddHalf : packFilterPairsEvenHalf,
    suits: (shape) => channelsRead(shape) === 4 && shape.width !== undefined && takes(shape.options, shape.width),
    plan({ input, ...shapes }, options) {
      const [batch, height, width, words] = input; // two halves each
      if (words !== 2 || !takes(options, width)) {
        throw new RangeError(
          `${name} expected four channels, an even width and steps of two columns with ${isOdd ? 'odd' : 'even'} padding on the left, got ${2 * words} channels, width ${width}, strides ${options.strides} and pads ${options.pads}; use conv2dHalf.`,
        );
      }
      return program.plan({ ...shapes, input: [batch, height, width / 2, 4] }, halved(options, [height, width], isOdd));
    },
    samples: (random) => [
      [
        {
          input: toHalves(uniformTensor(random, [2, 9, 12, 4])),
          weights: toHalves(uniformTensor(random, [12, 7 * 4 * 8])),
          bias: uniformTensor(random, [12]),
          residual: toHalves(uniformTensor(random, [12])),
        },
        { kernel: [7, isOdd ? 7 : 8], strides: [2, 2], pads: [3, isOdd ? 3 : 2, 3, 3], dilations: [1, 1], relu: true },
      ],
    ],
  };
}

/** The same windows over images half as wide: as many, from the same columns on. */
function halved(options: Options, size: Pair, isOdd: boolean): Options {
  const { kernel, strides, pads } = options;
  const [, columns] = placeWindows('conv2dPairs', size, options).size;
  const width = pairsOf(kernel[1], isOdd);
  const left = (pads[1] + Number(isOdd)) / 2;
  const right = columns - 1 + width - size[1] / 2 - left; // no column less is read
  return { ...options, kernel: [kernel[0], width], strides: [strides[0], 1], pads: [pads[0], left, pads[2], right] };
}
