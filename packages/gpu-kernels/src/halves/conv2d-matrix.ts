import { uniformTensor } from '../random.ts';
import { type Conv2dHalf, channelsRead, halfConvolution, planConv2dHalf } from './conv2d-half-plan.ts';
import { matrixProgram } from './conv2d-matrix-program.ts';
import { inPairs } from './conv2d-pairs.ts';
import { fromHalves, toHalves, writeHalves } from './half.ts';
import { bytesOfMatrices, type MatrixTile, type MatrixUnit, type SubgroupSize, sharesEvenly } from './matrix-units.ts';
import { packFilterRowsHalf } from './pack-filter-rows-half.ts';

/** A product of matrices that subgroups of a device compute, as the adapter lists it. */
export interface SubgroupMatrix {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** What a device must say of itself for its subgroups to multiply matrices; an `OpenedDevice` does. */
export interface MatrixHost {
  readonly limits: { readonly [name: string]: number };
  readonly features: readonly string[];
  readonly subgroups: {
    readonly smallest: number;
    readonly largest: number;
    /** None unless the device has the feature. */
    readonly matrices: readonly SubgroupMatrix[];
  };
}

/** A convolution by the matrices of subgroups. */
export interface MatrixConvolution extends Conv2dHalf {
  /** What a workgroup computes, and how many products it brings at a time: which shapes it is good for. */
  readonly tile: {
    readonly pixels: number;
    readonly channels: number;
    readonly deep: number;
    readonly subgroups: number;
  };
  /** Halves that an invocation brings at once. */
  readonly chunk: MatrixTile['chunk'];
  /** What its subgroups multiply, */
  readonly unit: MatrixUnit;
  /** and how large they are. */
  readonly size: SubgroupSize;
}

/** For matrices of eight pixels. */
const smallTiles: readonly MatrixTile[] = [
  { pixels: 32, channels: 32, across: 2, down: 4, deep: 32, chunk: 8 },
  { pixels: 32, channels: 32, across: 2, down: 2, deep: 32, chunk: 8 },
  { pixels: 32, channels: 32, across: 2, down: 2, deep: 32, chunk: 4 },
];

/** Shapes of matrices that we speak, in order of preference, each with its tiles: wide before narrow, large before small. */
const units: readonly (MatrixUnit & { readonly tiles: readonly MatrixTile[] })[] = [
  {
    // NVIDIA since Volta, AMD since RDNA 3
    component: 'f16',
    M: 16,
    N: 16,
    K: 16,
    tiles: [
      { pixels: 64, channels: 64, across: 2, down: 4, deep: 32, chunk: 8 },
      { pixels: 64, channels: 64, across: 2, down: 4, deep: 32, chunk: 8, diagonal: true },
      { pixels: 32, channels: 64, across: 2, down: 4, deep: 64, chunk: 8 },
      { pixels: 32, channels: 64, across: 2, down: 4, deep: 64, chunk: 8, diagonal: true },
      { pixels: 32, channels: 64, across: 1, down: 8, deep: 32, chunk: 8 },
      { pixels: 32, channels: 64, across: 1, down: 4, deep: 32, chunk: 8 },
      { pixels: 32, channels: 64, across: 1, down: 4, deep: 32, chunk: 4 },
    ],
  },
  {
    // Intel
    component: 'f16',
    M: 8,
    N: 16,
    K: 16,
    tiles: smallTiles,
  },
  {
    // Apple since M1; halves are opened on their way into workgroup memory
    component: 'f32',
    M: 8,
    N: 8,
    K: 8,
    tiles: smallTiles,
  },
];

/**
 * `conv2dHalf` with the matrices of subgroups (tensor cores): halves are multiplied and summed in float32, a 16×16 matrix or the
 * like at a time. There is a program for each of a device's tiles; none where the device lists no shape of matrices that we speak,
 * its workgroups are too small, or `hasUnknownSize`.
 *
 *     weights O₄×(h·w·I₄)/2 words from `packFilterRowsHalf`, all else as `conv2dHalf`'s
 *
 * The bits of a sum differ from `conv2dHalf`'s as from another order. Drivers may get this wrong as well as f16: `openDevice`
 * tries it first.
 */
export function matrixConvolutions(host: MatrixHost): readonly MatrixConvolution[] {
  const { limits, features, subgroups } = host;
  const unit = units.find((each) => subgroups.matrices.some((listed) => isSame(each, listed)));
  if (!unit || hasUnknownSize(host) || !neededBy(unit).every((feature) => features.includes(feature))) return [];
  const { lanes, held } = subgroupSize(subgroups);
  const fitting = unit.tiles.filter((tile) => {
    const invocations = lanes * tile.across * tile.down;
    return (
      invocations % subgroups.largest === 0 &&
      invocations <= limits.maxComputeInvocationsPerWorkgroup &&
      bytesOfMatrices(unit, tile) <= limits.maxComputeWorkgroupStorageSize &&
      sharesEvenly(unit, tile, lanes)
    );
  });
  return fitting.map((tile) =>
    onceOf(JSON.stringify([unit, tile, lanes, held]), () => matrixConvolution(unit, tile, { lanes, held })),
  );
}

/** The narrowest of them once more for a network's first convolution, `inPairs`: they run the same programs. */
export function pairedConvolutions(host: MatrixHost): readonly MatrixConvolution[] {
  const eights = matrixConvolutions(host).filter(({ chunk }) => chunk === 8);
  const narrowest = Math.min(...eights.map(({ tile }) => tile.channels));
  return eights
    .filter(({ tile }) => tile.channels === narrowest)
    .flatMap((plain) => [true, false].map((isOdd) => onceOf(`${plain.name} ${isOdd}`, () => inPairs(plain, isOdd))));
}

/** The same record for the same program, so that it is compiled once. */
function onceOf(key: string, make: () => MatrixConvolution): MatrixConvolution {
  const program = programs.get(key) ?? make();
  programs.set(key, program);
  return program;
}

const programs = new Map<string, MatrixConvolution>();

/**
 * Whether a device may give a program's subgroups one size or another and cannot be told which: how many there are in a
 * workgroup is then not known, and a program would leave out pixels or write beside its memory.
 */
export function hasUnknownSize({ features, subgroups: { smallest, largest } }: Omit<MatrixHost, 'limits'>): boolean {
  return smallest !== largest && !features.includes(SIZE_CONTROL);
}

const SIZE_CONTROL = 'subgroup-size-control';

/** Where sizes vary, 32 is what matrices are made for. */
function subgroupSize({ smallest, largest }: MatrixHost['subgroups']): SubgroupSize {
  return { lanes: smallest <= 32 && 32 <= largest ? 32 : largest, held: smallest !== largest };
}

function isSame({ component, M, N, K }: MatrixUnit, listed: SubgroupMatrix): boolean {
  const isShape = listed.M === M && listed.N === N && listed.K === K;
  return isShape && listed.componentType === component && listed.resultComponentType === 'f32';
}

function neededBy({ component }: MatrixUnit): readonly string[] {
  const always = ['subgroups', 'chromium-experimental-subgroup-matrix'];
  return component === 'f16' ? ['shader-f16', ...always] : always;
}

/** One program of them, for subgroups of a size. */
export function matrixConvolution(unit: MatrixUnit, tile: MatrixTile, size: SubgroupSize): MatrixConvolution {
  const { across, down, deep, chunk, diagonal } = tile;
  const [pixels, channels] = [tile.pixels * down, tile.channels * across];
  const name = `conv2dMatrix${pixels}×${channels}×${deep}by${across * down}${chunk === 4 ? 'fours' : ''}${diagonal ? 'diagonal' : ''}`;
  const few = diagonal ? 16 : 12; // channels of a sample
  return {
    ...halfConvolution,
    name,
    unit,
    size,
    tile: { pixels, channels, deep, subgroups: across * down },
    chunk,
    filters: packFilterRowsHalf,
    suits: (shape) => channelsRead(shape) % chunk === 0 && (!diagonal || shape.channels % chunk === 0),
    plan({ weights, ...shapes }, options) {
      const [filters, words] = weights;
      for (const channels of [2 * shapes.input[3], ...(diagonal ? [filters] : [])]) {
        if (channels % chunk === 0) continue;
        throw new RangeError(`${name} expected channels in multiples of ${chunk}, got ${channels}; use conv2dHalf.`);
      }
      const turned = [2 * words, filters / 2]; // as packFiltersHalf lays them out
      return planConv2dHalf(name, { ...shapes, weights: turned }, options, { pixels, channels });
    },
    reference: ({ weights, ...inputs }, u, output) =>
      halfConvolution.reference({ ...inputs, weights: inColumns(weights, 4 * u.quadsOut) }, u, output),
    samples: (random) => [
      [
        {
          input: toHalves(uniformTensor(random, [2, 7, 6, 8])),
          weights: toHalves(uniformTensor(random, [few, 72])),
          bias: uniformTensor(random, [few]),
          residual: toHalves(uniformTensor(random, [2, 4, 3, few])),
        },
        { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], dilations: [1, 1], relu: true },
      ],
      [
        {
          input: toHalves(uniformTensor(random, [3, 5, 7, 5 * chunk])),
          weights: toHalves(uniformTensor(random, [8, 5 * chunk])),
          bias: uniformTensor(random, [8]),
          residual: toHalves(uniformTensor(random, [8])),
        },
        { kernel: [1, 1], strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1] },
      ],
    ],
    wgsl: [
      {
        features: size.held ? [...neededBy(unit), SIZE_CONTROL] : neededBy(unit),
        code: matrixProgram(unit, tile, size),
      },
    ],
  };
}

/** Words of filters × depth as words of depth × filters. */
function inColumns(weights: Float32Array, filters: number): Float32Array {
  const numbers = fromHalves(weights);
  const depth = numbers.length / filters;
  const words = new Float32Array(weights.length);
  writeHalves(
    Float32Array.from(numbers, (_, index) => numbers[(index % filters) * depth + Math.floor(index / filters)]),
    words,
  );
  return words;
}
