/** Bytes of an ONNX model that takes no images: one Relu from `features` of 1×10 to `logits`. */
export function flatModel(): Uint8Array {
  const relu = [...text(1, 'features'), ...text(2, 'logits'), ...text(3, 'relu'), ...text(4, 'Relu')];
  const graph = [...part(1, relu), ...text(2, 'flat'), ...part(11, value('features')), ...part(12, value('logits'))];
  return Uint8Array.from([...number(1, 8), ...part(7, graph), ...part(8, number(2, 17))]);
}

// ValueInfoProto of float32, 1×10
function value(name: string): number[] {
  const shape = [...part(1, number(1, 1)), ...part(1, number(1, 10))];
  return [...text(1, name), ...part(2, part(1, [...number(1, 1), ...part(2, shape)]))];
}

// protobuf fields; everything here is shorter than 128, so a length is one byte
function number(field: number, content: number): number[] {
  return [field << 3, content];
}

function part(field: number, content: readonly number[]): number[] {
  return [(field << 3) | 2, content.length, ...content];
}

function text(field: number, content: string): number[] {
  return part(field, [...Buffer.from(content)]);
}
