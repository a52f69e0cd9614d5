/** Codes of onnx.TensorProto.DataType that Cambium reads. */
export const dataTypes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
} as const;

/** Whether a code stands for a floating-point type that becomes float32 in a `Graph`. */
export function isFloatType(code: number): boolean {
  const { float32, float16, float64, bfloat16 } = dataTypes;
  return code === float32 || code === float16 || code === float64 || code === bfloat16;
}
