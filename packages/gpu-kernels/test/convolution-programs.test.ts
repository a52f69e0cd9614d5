import { describe, expect, test } from 'vitest';
import {
  type AnyKernel,
  type ConvolutionShape,
  conv2dHalfWith,
  conv2dLastWith,
  conv2dWinograd,
  convolutionPrograms,
  halfConvolutionPrograms,
  tilesFor,
  tilings,
} from '../src/index.ts';

const large = { limits: { maxComputeInvocationsPerWorkgroup: 1024, maxComputeWorkgroupStorageSize: 32_768 } };
const small = { limits: { maxComputeInvocationsPerWorkgroup: 128, maxComputeWorkgroupStorageSize: 10_000 } };
const window = { kernel: [3, 3], strides: [2, 1], pads: [1, 1, 1, 1], dilations: [1, 1] } as const;
const plain = { ...window, strides: [1, 1] } as const;
const shape: ConvolutionShape = { pixels: 49, depth: 72, channels: 12, options: window };
const namesOf = (programs: readonly AnyKernel[]) => programs.map(({ name }) => name);

describe('programs for a convolution', () => {
  test('have names of their own', () => {
    const names = namesOf([...convolutionPrograms(large, window), ...halfConvolutionPrograms(large, shape)]);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining(['conv2dLastDirect', 'conv2dLast', 'conv2dLast64×128', 'conv2dHalf']));
  });

  test('are those whose workgroups the device can hold', () => {
    expect(namesOf(convolutionPrograms(small, window))).toEqual(['conv2dLastDirect', 'conv2dLast']);
    expect(namesOf(halfConvolutionPrograms(small, shape))).toEqual(['conv2dHalf']);
    const least = { limits: { maxComputeInvocationsPerWorkgroup: 128, maxComputeWorkgroupStorageSize: 16_384 } };
    expect(tilesFor(least)).toEqual(Object.keys(tilings));
    const tiny = { limits: { ...least.limits, maxComputeInvocationsPerWorkgroup: 64 } };
    expect(namesOf(convolutionPrograms(tiny, window))).toEqual(['conv2dLastDirect']);
  });

  test('are those that compute such a window: Winograd’s way only 3×3 with stride 1', () => {
    expect(namesOf(convolutionPrograms(large, plain))).toContain('conv2dWinograd');
    expect(namesOf(convolutionPrograms(small, plain))).not.toContain('conv2dWinograd');
    expect(namesOf(convolutionPrograms(large, window))).not.toContain('conv2dWinograd');
    expect(namesOf(convolutionPrograms(large, { ...plain, kernel: [1, 3] }))).not.toContain('conv2dWinograd');
    expect(namesOf(convolutionPrograms(large, { ...plain, dilations: [1, 2] }))).not.toContain('conv2dWinograd');
    const shapes = { input: [1, 5, 5, 4], weights: [64, 4], bias: [4], residual: [4] };
    expect(() => conv2dWinograd.plan(shapes, window)).toThrow(RangeError);
  });

  test('are the same records every time, so that each is compiled once', () => {
    expect(convolutionPrograms(large, window)).toContain(conv2dLastWith('64×128'));
    expect(halfConvolutionPrograms(large, shape)).toContain(conv2dHalfWith('128×64'));
  });
});
