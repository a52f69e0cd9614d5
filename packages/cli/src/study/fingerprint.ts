import { createHash } from 'node:crypto';
import { rows, type Tensor } from '@cambium/gpu-kernels';

/** 32 hexadecimal digits that stand for any texts and numbers, in their order. */
export function fingerprint(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha1'); // names things, guards nothing; the fastest here
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex').slice(0, 32);
}

/** Stands for the shape and numbers of a tensor. Remembered for as long as the tensor lives. */
export function fingerprintOf(tensor: Tensor): string {
  const known = remembered.get(tensor);
  if (known) return known;
  const print = fingerprint(tensor.shape.join(), bytesOf(tensor.data));
  remembered.set(tensor, print);
  return print;
}

/** Stands for one row along the first axis. */
export function fingerprintOfRow(tensor: Tensor, row: number): string {
  return fingerprint(tensor.shape.slice(1).join(), bytesOf(rows(tensor, row, row + 1).data));
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

const remembered = new WeakMap<Tensor, string>();
