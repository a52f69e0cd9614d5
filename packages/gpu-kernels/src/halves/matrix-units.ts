// Nowhere else do we speak Dawn's experimental WGSL.

/** Matrices that the subgroups of a device multiply: M×N sums from K products. */
export interface MatrixUnit {
  /** Of the factors; sums are f32. */
  readonly component: 'f16' | 'f32';
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** A tile of a product of matrices: what a subgroup computes, and how many subgroups a workgroup has. */
export interface MatrixTile {
  /** Pixels of a subgroup, a multiple of M. */
  readonly pixels: number;
  /** Channels of a subgroup, a multiple of N. */
  readonly channels: number;
  /** Subgroups of a workgroup along the channels. */
  readonly across: number;
  /** Subgroups of a workgroup along the pixels. */
  readonly down: number;
  /** Products that are brought into workgroup memory at a time, a multiple of K. */
  readonly deep: number;
  /** Numbers that an invocation brings at once. Channels that are read are a multiple of it. */
  readonly chunk: 4 | 8;
  /**
   * Whether a shortcut is added as one more part of the sum, multiplied with ones on a diagonal, so that it comes as pixels do:
   * many bytes at a time and ahead. Channels that are written are a multiple of `chunk` then.
   */
  readonly diagonal?: true;
}

/** Of a workgroup's subgroups: how many invocations, and whether the device must be held to it. */
export interface SubgroupSize {
  readonly lanes: number;
  readonly held: boolean;
}

/** Numbers beside each row in workgroup memory, 16 bytes: rows begin in other banks, and at multiples of 16 as loads demand. */
export function paddingOf({ component }: MatrixUnit): number {
  return component === 'f16' ? 8 : 4;
}

/** Quads between rows of a matrix of sums in workgroup memory: a row, and one against bank conflicts. */
export function sumsRow({ N }: MatrixUnit): number {
  return N / 4 + 1;
}

/** Of workgroup memory: gathered pixels and filters with their padding, and a matrix of sums for each subgroup. */
export function bytesOfMatrices(unit: MatrixUnit, tile: MatrixTile): number {
  const { pixels, channels, across, down, deep } = tile;
  const rows = pixels * down + channels * across;
  const numbers = rows * (deep + paddingOf(unit));
  return numbers * (unit.component === 'f16' ? 2 : 4) + 16 * unit.M * sumsRow(unit) * across * down;
}

/** Whether the invocations of a workgroup can share the work of bringing a slab evenly, and those of a subgroup a row of sums. */
export function sharesEvenly({ N }: MatrixUnit, tile: MatrixTile, lanes: number): boolean {
  const { pixels, channels, across, down, deep, chunk } = tile;
  const all = lanes * across * down;
  const chunks = deep / chunk;
  const shares = [all / chunks, (pixels * down * chunks) / all, (channels * across * chunks) / all];
  return [...shares, lanes / (N / 4)].every(Number.isInteger);
}

/**
 * What the program says of matrices: their types, how they come from workgroup memory and go there, and what is added. Offsets and
 * strides are in quads.
 */
export function matrixTypes({ component, M, N, K }: MatrixUnit): string {
  const halves = component === 'f16';
  return /* wgsl */ `
  ${halves ? 'enable f16;' : ''}
  enable subgroups;
  enable chromium_experimental_subgroup_matrix;

  alias Number = ${component}; // in workgroup memory
  alias Left = subgroup_matrix_left<${component}, ${K}, ${M}>;
  alias Right = subgroup_matrix_right<${component}, ${N}, ${K}>;
  alias Sum = subgroup_matrix_result<f32, ${N}, ${M}>;

  fn opened(quad: vec2u) -> vec4<Number> {
    return ${halves ? 'bitcast<vec4<f16>>(quad)' : 'vec4f(unpack2x16float(quad.x), unpack2x16float(quad.y))'};
  }
  fn leftAt(at: u32) -> Left { return subgroupMatrixLoad<Left, row_major>(&gathered, at, memoryRow); }
  fn rightAt(at: u32) -> Right { return subgroupMatrixLoad<Right, col_major>(&filters, at, memoryRow); }
  fn added(sum: Sum, left: Left, right: Right) -> Sum { return subgroupMatrixMultiplyAccumulate(left, right, sum); }
  fn put(at: u32, sum: Sum) { subgroupMatrixStore<row_major>(&scratch, at, sum, sumsRow); }
`;
}

/** Stands before `matrixTypes` where a device's subgroups have one size or another. */
export const sizeControl = /* wgsl */ `
  enable subgroup_size_control;`;

/** An attribute: subgroups have so many invocations, or there is no pipeline. */
export function heldTo(lanes: number): string {
  return ` @subgroup_size(${lanes})`;
}
