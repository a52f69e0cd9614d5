import { type Shape, sizeOf, type Tensor } from '@cambium/gpu-kernels';

/**
 * Writes a tensor as a NumPy file: version 1.0, little-endian float32, C order.
 *
 * @source NumPy Enhancement Proposal 1, numpy.lib.format
 */
export function encodeNpy({ data, shape }: Tensor): Uint8Array {
  const axes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const fields = `{'descr': '<f4', 'fortran_order': False, 'shape': (${axes}), }`;
  const length = Math.ceil((PREFIX + fields.length + 1) / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(length + 4 * data.length);
  bytes.set(MAGIC);
  bytes.set([1, 0], MAGIC.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(MAGIC.length + 2, length - PREFIX, true);
  bytes.set(Buffer.from(`${fields.padEnd(length - PREFIX - 1)}\n`, 'latin1'), PREFIX);
  for (let index = 0; index < data.length; index++) view.setFloat32(length + 4 * index, data[index], true);
  return bytes;
}

/**
 * Reads a NumPy file of little-endian float32 or float64 in C order; float64 is rounded to float32.
 *
 * @throws RangeError when the bytes are not such a file or hold fewer numbers than their shape says
 */
export function decodeNpy(bytes: Uint8Array): Tensor {
  if (bytes.length < PREFIX || !MAGIC.every((byte, index) => bytes[index] === byte)) {
    throw new RangeError('decodeNpy expected a NumPy file, got other bytes.');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = bytes[MAGIC.length] >= 2; // versions 2 and 3 write the length of the header in four bytes
  const start = wide ? PREFIX + 2 : PREFIX;
  const end = start + (wide ? view.getUint32(MAGIC.length + 2, true) : view.getUint16(MAGIC.length + 2, true));
  const { shape, width } = readHeader(Buffer.from(bytes.subarray(start, end)).toString('latin1'));
  const count = sizeOf(shape);
  if (bytes.length < end + width * count) {
    throw new RangeError(
      `decodeNpy expected ${count} numbers after the header, got ${Math.floor((bytes.length - end) / width)}.`,
    );
  }
  const data = new Float32Array(count);
  for (let index = 0; index < count; index++) {
    data[index] = width === 4 ? view.getFloat32(end + 4 * index, true) : view.getFloat64(end + 8 * index, true);
  }
  return { data, shape };
}

/** Shape, and bytes of a number. */
function readHeader(header: string): { shape: Shape; width: 4 | 8 } {
  const type = /'descr':\s*'<f([48])'/.exec(header);
  if (!type || !/'fortran_order':\s*False/.test(header)) {
    throw new RangeError(`decodeNpy expected little-endian float32 or float64 in C order, got ${header.trim()}.`);
  }
  const axes = /'shape':\s*\(([\d\s,]*)\)/.exec(header);
  if (!axes) throw new RangeError(`decodeNpy expected a shape in the header, got ${header.trim()}.`);
  const shape = axes[1]
    .split(',')
    .filter((axis) => axis.trim() !== '')
    .map(Number);
  return { shape, width: type[1] === '4' ? 4 : 8 };
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
const PREFIX = 10; // magic, two bytes of version, two bytes of header length
const ALIGNMENT = 64;
