import { type ConvolutionShape, convolutionPrograms, halfConvolutionPrograms } from '@cambium/gpu-kernels';
import { describe, expect, test } from 'vitest';
import { type ChoosingDevice, convolutionFor } from '../src/classifiers/convolution-for.ts';
import { mergeTunings, type Tuning } from '../src/index.ts';

const options = { kernel: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1] } as const;
const shape: ConvolutionShape = { pixels: 128 * 56 * 56, depth: 576, channels: 64, options };
const large = { maxComputeInvocationsPerWorkgroup: 1024, maxComputeWorkgroupStorageSize: 49_152 };
const least = { maxComputeInvocationsPerWorkgroup: 256, maxComputeWorkgroupStorageSize: 16_384 }; // what WebGPU promises
const small = { maxComputeInvocationsPerWorkgroup: 128, maxComputeWorkgroupStorageSize: 10_000 };
const gpu = { software: false, limits: large, features: [] };

describe('without a tuning', () => {
  test.each([
    ['without barriers on a software adapter', { ...gpu, software: true }, shape, 'conv2dLastDirect'],
    ['in tiles no wider than the channels', gpu, shape, 'conv2dLast128×64'],
    ['in wide tiles where there is much to do', gpu, { ...shape, channels: 256 }, 'conv2dLast64×128'],
    ['in small tiles where there is little', gpu, { ...shape, pixels: 49, channels: 2048 }, 'conv2dLast'],
    ['in small tiles where there are few channels', gpu, { ...shape, channels: 12 }, 'conv2dLast'],
    ['in tiles that fit little memory', { ...gpu, limits: small }, { ...shape, channels: 256 }, 'conv2dLast'],
  ] as const)('a convolution is computed %s', (_, device, asked, expected) => {
    expect(convolutionFor(device).convolution(asked).name).toBe(expected);
  });

  test('in half precision a convolution is computed by the matrices of subgroups, where the device has them', () => {
    const matrix = { componentType: 'f16', resultComponentType: 'f32', M: 16, N: 16, K: 16 };
    const features = ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'];
    const device = { ...gpu, features, subgroups: { smallest: 32, largest: 32, matrices: [matrix] } };
    const chosen = (more: Partial<ConvolutionShape>, on: ChoosingDevice = device) =>
      convolutionFor(on).halfConvolution({ ...shape, ...more }).name;
    const stem = {
      depth: 7 * 7 * 4,
      options: { ...options, kernel: [7, 7], strides: [2, 2], pads: [3, 3, 3, 3] },
    } as const;
    const asked = {
      wide: { channels: 256 },
      'wide, of few pixels': { channels: 512, pixels: 256 * 49 },
      'wide, of one image': { channels: 512, pixels: 49 },
      narrow: {},
      'narrow, of few pixels': { pixels: 2 * 56 * 56 },
      'of four channels, in pairs': { ...stem, width: 224 },
      'of four channels, few in pairs': { ...stem, width: 224, pixels: 112 * 112 },
      'of four channels, an odd number across': { ...stem, width: 223 },
      'not of eights': { channels: 256, depth: 9 * 20 },
      'mostly empty': { channels: 12 },
    } as const;
    expect(Object.entries(asked).map(([what, more]) => [what, chosen(more)])).toEqual([
      ['wide', 'conv2dMatrix256×128×32by8'],
      ['wide, of few pixels', 'conv2dMatrix128×128×64by8'],
      ['wide, of one image', 'conv2dMatrix128×128×64by8'],
      ['narrow', 'conv2dMatrix256×64×32by8'],
      ['narrow, of few pixels', 'conv2dMatrix128×64×32by4'],
      ['of four channels, in pairs', 'conv2dMatrix256×64×32by8pairsOdd'],
      ['of four channels, few in pairs', 'conv2dMatrix128×64×32by4pairsOdd'],
      ['of four channels, an odd number across', 'conv2dMatrix128×64×32by4fours'],
      ['not of eights', 'conv2dMatrix128×64×32by4fours'],
      ['mostly empty', 'conv2dHalf'],
    ]);
    expect(chosen(asked.wide, { ...device, features: features.slice(0, 2) })).toBe('conv2dHalf64×128');
    expect(chosen(asked.wide, gpu)).toBe('conv2dHalf64×128');
    for (const more of Object.values(asked)) {
      const whole = { ...shape, ...more };
      expect(halfConvolutionPrograms(device, whole)).toContain(convolutionFor(device).halfConvolution(whole));
    }
  });

  test('every default is a program that the device can run, on the least device that WebGPU allows too', () => {
    const device = { ...gpu, limits: least };
    for (const pixels of [1, 49, 10_000, 4_000_000]) {
      for (const channels of [4, 64, 2048]) {
        const { convolution, halfConvolution } = convolutionFor(device);
        const asked = { ...shape, pixels, channels };
        expect(convolutionPrograms(device, options)).toContain(convolution(asked));
        expect(halfConvolutionPrograms(device, asked)).toContain(halfConvolution(asked));
      }
    }
  });
});

describe('with a tuning', () => {
  const tuning: Tuning = {
    convolutions: [
      { precision: 'f32', shape, winner: 'conv2dLast64×128' },
      { precision: 'f16', shape, winner: 'conv2dHalf64×128' },
    ],
  };
  const chosen = (asked: ConvolutionShape, own = tuning, device = gpu) =>
    convolutionFor(device, own).convolution(asked).name;

  test('the winner computes the shape that it won, and batches twice and half as long', () => {
    for (const pixels of [shape.pixels, shape.pixels / 2, 2 * shape.pixels]) {
      expect(chosen({ ...shape, pixels })).toBe('conv2dLast64×128');
      expect(convolutionFor(gpu, tuning).halfConvolution({ ...shape, pixels }).name).toBe('conv2dHalf64×128');
    }
  });

  test('of two that are near the nearer one holds', () => {
    const other = { precision: 'f32', shape: { ...shape, pixels: 1.5 * shape.pixels }, winner: 'conv2dLast' } as const;
    const both = { convolutions: [...tuning.convolutions, other] };
    expect(chosen({ ...shape, pixels: 1.1 * shape.pixels }, both)).toBe('conv2dLast64×128');
    expect(chosen({ ...shape, pixels: 1.4 * shape.pixels }, both)).toBe('conv2dLast');
  });

  test.each([
    ['far fewer pixels', { pixels: shape.pixels / 3 }],
    ['another depth', { depth: 580 }],
    ['another stride', { options: { ...options, strides: [2, 2] } }],
    ['the way back', { options: { ...options, back: [56, 56] } }],
  ] as const)('the default computes what was not tuned: %s', (_, other) => {
    const asked: ConvolutionShape = { ...shape, ...other };
    expect(chosen(asked)).toBe(convolutionFor(gpu).convolution(asked).name);
  });

  test('the default computes what was won by a program that is not there, or not for this device', () => {
    const won = (winner: string): Tuning => ({ convolutions: [{ precision: 'f32', shape, winner }] });
    expect(chosen(shape, won('a program of tomorrow'))).toBe('conv2dLast128×64');
    expect(chosen(shape, won('conv2dLast64×128'))).toBe('conv2dLast64×128');
    expect(chosen(shape, won('conv2dLast64×128'), { ...gpu, limits: small })).toBe('conv2dLast');
  });

  test('merged with a later one, the later winners hold and the others stay', () => {
    const [first, half] = tuning.convolutions;
    const later = { ...first, winner: 'conv2dLast' };
    expect(mergeTunings(tuning.convolutions, [later])).toEqual([half, later]);
  });
});
