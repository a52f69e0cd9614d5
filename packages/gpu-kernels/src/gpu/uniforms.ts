import type { AnyKernel, Named } from '../kernel.ts';

/** Most uniforms that a kernel may have: what fits between two dynamic offsets on any device. */
const MOST = 64;

/**
 * Lays uniforms out as the program's struct has them: four bytes each, in the order of the kernel's record.
 *
 * @throws RangeError when a kernel has more than 64
 */
export function packUniforms(
  { name, uniforms: types }: AnyKernel,
  values: Named<string, number>,
): Uint8Array<ArrayBuffer> {
  const fields = Object.entries(types);
  if (fields.length > MOST) throw new RangeError(`${name} has ${fields.length} uniforms; at most ${MOST} are passed.`);
  const view = new DataView(new ArrayBuffer(4 * fields.length));
  fields.forEach(([field, type], index) => {
    if (type === 'f32') view.setFloat32(4 * index, values[field], true);
    else view.setUint32(4 * index, values[field], true);
  });
  return new Uint8Array(view.buffer);
}
