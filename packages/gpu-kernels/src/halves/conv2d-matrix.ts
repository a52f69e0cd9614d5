import { type Conv2dHalf, halfConvolution, planConv2dHalf } from './conv2d-half-plan.ts';
import {
  eightBySixteenUnit,
  eightUnit,
  heldToSize,
  matrixBody,
  matrixMain,
  sixteenUnit,
  sizeControl,
} from './conv2d-matrix-program.ts';

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

/** Subgroups of a workgroup. */
interface MatrixTile {
  readonly across: number;
  readonly down: number;
}

/** A shape of matrices with its part of the program, and what each subgroup computes of them. */
interface Unit extends SubgroupMatrix {
  readonly code: string;
  readonly pixels: number;
  readonly channels: number;
}

/** In order of preference. */
const units: readonly Unit[] = [
  {
    code: sixteenUnit,
    componentType: 'f16',
    resultComponentType: 'f32',
    M: 16,
    N: 16,
    K: 16,
    pixels: 32,
    channels: 64,
  },
  {
    code: eightBySixteenUnit,
    componentType: 'f16',
    resultComponentType: 'f32',
    M: 8,
    N: 16,
    K: 16,
    pixels: 32,
    channels: 32,
  },
  { code: eightUnit, componentType: 'f32', resultComponentType: 'f32', M: 8, N: 8, K: 8, pixels: 32, channels: 32 },
];

/** In order of preference: 128 pixels × 128 channels with the first unit, then less. */
const tiles: readonly MatrixTile[] = [
  { across: 2, down: 4 },
  { across: 2, down: 2 },
  { across: 1, down: 4 },
];

/**
 * `conv2dHalf` with the matrices of subgroups (tensor cores): halves are multiplied and summed in float32, a 16×16 matrix or the
 * like at a time. There is a program for each of a device's tiles, the one for large maps first; none where the device lists no
 * shape of matrices that we speak, its workgroups are too small, or `hasUnknownSize`.
 *
 * The bits of a sum differ from `conv2dHalf`'s as from another order. Drivers may get this wrong as well as f16: `openDevice`
 * tries it first.
 */
export function matrixConvolutions(host: MatrixHost): readonly Conv2dHalf[] {
  const { limits, features, subgroups } = host;
  const unit = units.find((each) => subgroups.matrices.some((listed) => isSame(each, listed)));
  if (!unit || hasUnknownSize(host) || !neededBy(unit).every((feature) => features.includes(feature))) return [];
  const lanes = subgroupSize(subgroups);
  const held = subgroups.smallest !== subgroups.largest;
  const fitting = tiles.filter((tile) => {
    const invocations = lanes * tile.across * tile.down;
    return (
      invocations % subgroups.largest === 0 &&
      invocations <= limits.maxComputeInvocationsPerWorkgroup &&
      bytesOf(unit, tile) <= limits.maxComputeWorkgroupStorageSize &&
      loadsOf(unit, tile, lanes).every((count) => Number.isInteger(count) && count <= MOST_LOADS)
    );
  });
  return fitting.map((tile) => programs[keyOf(unit, tile, { lanes, held })]).filter((program) => program !== undefined);
}

/**
 * Whether a device may give a program's subgroups one size or another and cannot be told which: how many there are in a
 * workgroup is then not known, and a program would leave out pixels or write beside its memory.
 */
export function hasUnknownSize({ features, subgroups: { smallest, largest } }: Omit<MatrixHost, 'limits'>): boolean {
  return smallest !== largest && !features.includes(SIZE_CONTROL);
}

const SIZE_CONTROL = 'subgroup-size-control';

/** Of a workgroup's subgroups: how many invocations, and whether the device must be held to it. */
interface SubgroupSize {
  readonly lanes: number;
  readonly held: boolean;
}

/** Where sizes vary, 32 is what matrices are made for. */
function subgroupSize({ smallest, largest }: MatrixHost['subgroups']): number {
  return smallest <= 32 && 32 <= largest ? 32 : largest;
}

/** Quads that an invocation brings for a slab: as many as the program has room for. */
const MOST_LOADS = 8;

function loadsOf(unit: Unit, { across, down }: MatrixTile, lanes: number): readonly number[] {
  const all = lanes * across * down;
  return [(8 * unit.pixels * down) / all, (8 * unit.channels * across) / all];
}

/** Of workgroup memory: gathered pixels and filters with their padding, and a matrix of sums for each subgroup. */
function bytesOf({ componentType, pixels, channels, M, N }: Unit, { across, down }: MatrixTile): number {
  const quads = 10 * pixels * down + 32 * ((channels / 4) * across + 2);
  return quads * (componentType === 'f16' ? 8 : 16) + 4 * M * N * across * down;
}

function isSame(a: SubgroupMatrix, b: SubgroupMatrix): boolean {
  return (['componentType', 'resultComponentType', 'M', 'N', 'K'] as const).every((key) => a[key] === b[key]);
}

function neededBy({ componentType }: Unit): readonly string[] {
  const always = ['subgroups', 'chromium-experimental-subgroup-matrix'];
  return componentType === 'f16' ? ['shader-f16', ...always] : always;
}

function keyOf({ M, N, K }: Unit, { across, down }: MatrixTile, { lanes, held }: SubgroupSize): string {
  return `${M}×${N}×${K} ${across}×${down} ${lanes}${held ? ' held' : ''}`;
}

const sizes: readonly SubgroupSize[] = [16, 32, 64].flatMap((lanes) => [
  { lanes, held: false },
  { lanes, held: true },
]);

/** The same record for the same program, so that it is compiled once. */
const programs: { readonly [key: string]: Conv2dHalf } = Object.fromEntries(
  units.flatMap((unit) =>
    tiles.flatMap((tile) =>
      sizes.map((size) => [keyOf(unit, tile, size), matrixConvolution(unit, tile, size)] as const),
    ),
  ),
);

function matrixConvolution(unit: Unit, { across, down }: MatrixTile, { lanes, held }: SubgroupSize): Conv2dHalf {
  const size = { pixels: unit.pixels * down, channels: unit.channels * across };
  const name = `conv2dMatrix${size.pixels}×${size.channels}`;
  return {
    ...halfConvolution,
    name,
    plan: (shapes, options) => planConv2dHalf(name, shapes, options, size),
    wgsl: [
      {
        features: held ? [...neededBy(unit), SIZE_CONTROL] : neededBy(unit),
        code: held
          ? sizeControl + unit.code + matrixBody + heldToSize + matrixMain
          : unit.code + matrixBody + matrixMain,
        constants: { lanes, across, down },
      },
    ],
  };
}
