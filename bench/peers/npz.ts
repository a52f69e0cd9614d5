import { crc32, deflateRawSync } from 'node:zlib';
import { encodeNpy } from '../../packages/cli/src/io/npy.ts';
import type { Tensor } from '../../packages/gpu-kernels/src/index.ts';

/**
 * Writes tensors as a compressed NumPy archive, which `numpy.load` reads by their names.
 *
 * @source PKWARE APPNOTE 6.3, sections 4.3.7, 4.3.12 and 4.3.16: local headers, central directory, its end
 */
export function encodeNpz(tensors: ReadonlyMap<string, Tensor>): Uint8Array {
  const files: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const [name, value] of tensors) {
    const plain = encodeNpy(value);
    const packed = deflateRawSync(plain);
    const file = Buffer.from(`${name}.npy`);
    const shared = sharedFields(plain, packed.length, file.length);
    const local = Buffer.concat([Buffer.from([0x50, 0x4b, 3, 4]), shared, file, packed]);
    const at = Buffer.alloc(14); // comment, disk and attributes are 0, then the offset
    at.writeUInt32LE(offset, 10);
    directory.push(Buffer.from([0x50, 0x4b, 1, 2, 20, 0]), shared, at, file);
    files.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(tensors.size, 8);
  end.writeUInt16LE(tensors.size, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...files, central, end]);
}

/** What a local header and its entry in the directory have in common: 26 bytes from the version on. */
function sharedFields(plain: Uint8Array, packed: number, name: number): Buffer {
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(20, 0); // version 2.0: deflate
  fields.writeUInt16LE(8, 4); // deflated
  fields.writeUInt16LE(0x21, 8); // 1 January 1980, so that equal input gives equal bytes
  fields.writeUInt32LE(crc32(plain), 10);
  fields.writeUInt32LE(packed, 14);
  fields.writeUInt32LE(plain.length, 18);
  fields.writeUInt16LE(name, 22);
  return fields;
}
