import {
  fromHalves,
  type Kernel,
  type Shape,
  ShapeError,
  sizeOf,
  tensor,
  toHalves,
  uniformTensor,
} from '@cambium/gpu-kernels';

// What a trial does with tensors as large as a batch, so that they never leave the device.

/**
 * Fills images with the words of a block over and over, each image from its own place on.
 *
 *     block P words, starts N×1 whole numbers below P  →  N×…, as `shape` says
 *
 * Words are moved as they are, so they may be two halves each.
 */
export const repeated: Kernel<'block' | 'starts', 'period' | 'images' | 'size', { readonly shape: Shape }> = {
  name: 'repeated',
  inputs: ['block', 'starts'],
  uniforms: { period: 'u32', images: 'u32', size: 'u32' },
  plan({ block, starts }, { shape }) {
    const output = [starts[0], ...shape.slice(1)]; // fewer images where an engine makes a few at a time
    const size = sizeOf(shape.slice(1));
    return {
      output,
      uniforms: { period: sizeOf(block), images: starts[0], size },
      workgroups: [Math.ceil((starts[0] * size) / 256), 1, 1],
    };
  },
  rows: () => ['starts'],
  reference({ block, starts }, { images, size, period }, output) {
    for (let image = 0; image < images; image++) {
      for (let at = 0; at < size; at++) output[image * size + at] = block[(starts[image] + at) % period];
    }
  },
  wgsl: /* wgsl */ `
    struct Uniforms { period: u32, images: u32, size: u32 }
    @group(0) @binding(0) var<storage, read> block: array<u32>;         // period
    @group(0) @binding(1) var<storage, read> starts: array<f32>;        // images
    @group(0) @binding(2) var<storage, read_write> output: array<u32>;  // images × size
    @group(0) @binding(3) var<uniform> u: Uniforms;

    @compute @workgroup_size(256)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 256u);
      if (index >= u.images * u.size) { return; }
      output[index] = block[(u32(starts[index / u.size]) + index % u.size) % u.period];
    }`,
  samples: () => [
    [{ block: tensor([1, 2, 3, 4, 5], [5]), starts: tensor([0, 3, 1], [3, 1]) }, { shape: [3, 7, 2, 4] }],
  ],
};

/** What an image of the result of `differences` says. */
export const IMAGE = 3;

/**
 * Compares images with what they should be: for each image its largest difference, the largest number expected, and how many of
 * its numbers are not finite.
 *
 *     actual N×…, expected N×… (a multiple of four numbers an image)  →  N×3
 *
 * @throws ShapeError when the shapes differ, or fours do not fill an image
 */
export const differences: Kernel<'actual' | 'expected', 'images' | 'quads'> = differing('differences', 1);

/** The same of halves, two in each of their words. */
export const differencesOfHalves: Kernel<'actual' | 'expected', 'images' | 'quads'> = differing(
  'differencesOfHalves',
  2,
);

function differing(name: string, inAWord: 1 | 2): Kernel<'actual' | 'expected', 'images' | 'quads'> {
  return {
    name,
    inputs: ['actual', 'expected'],
    halves: inAWord === 2 ? ['actual'] : [],
    uniforms: { images: 'u32', quads: 'u32' },
    plan({ actual, expected }) {
      const size = sizeOf(expected.slice(1));
      const fits = inAWord * sizeOf(actual.slice(1)) === size && actual[0] === expected[0];
      if (!fits || size % 4 !== 0) {
        throw new ShapeError(name, `images of fours like those expected, ${expected.join('×')}`, actual.join('×'));
      }
      return {
        output: [expected[0], IMAGE],
        uniforms: { images: expected[0], quads: size / 4 },
        workgroups: [expected[0], 1, 1],
      };
    },
    rows: () => ['actual', 'expected'],
    reference({ actual, expected }, { images, quads }, output) {
      const numbers = inAWord === 2 ? fromHalves(actual) : actual;
      output.fill(0);
      for (let index = 0; index < 4 * quads * images; index++) {
        const at = IMAGE * Math.floor(index / (4 * quads));
        const isNumber = Number.isFinite(numbers[index]);
        if (isNumber) output[at] = Math.max(output[at], Math.abs(numbers[index] - expected[index]));
        output[at + 1] = Math.max(output[at + 1], Math.abs(expected[index]));
        output[at + 2] += isNumber ? 0 : 1;
      }
    },
    wgsl: /* wgsl */ `
      struct Uniforms { images: u32, quads: u32 }
      @group(0) @binding(0) var<storage, read> actual: array<${inAWord === 2 ? 'vec2u' : 'vec4u'}>; // images × quads, four numbers each
      @group(0) @binding(1) var<storage, read> expected: array<vec4f>;    // images × quads
      @group(0) @binding(2) var<storage, read_write> output: array<f32>;  // images × ${IMAGE}
      @group(0) @binding(3) var<uniform> u: Uniforms;

      var<workgroup> found: array<vec4f, 256>; // of each lane: largest difference, largest expected, how many are not finite

      fn numbersOf(bits: ${inAWord === 2 ? 'vec2u' : 'vec4u'}) -> vec4f {
        return ${inAWord === 2 ? 'vec4f(unpack2x16float(bits.x), unpack2x16float(bits.y))' : 'bitcast<vec4f>(bits)'};
      }

      // By their bits: programs may take it that there are no others.
      fn areFinite(bits: ${inAWord === 2 ? 'vec2u' : 'vec4u'}) -> vec4<bool> {
        ${
          inAWord === 2
            ? 'return (vec4u(bits.x, bits.x >> 16u, bits.y, bits.y >> 16u) & vec4u(0x7c00u)) != vec4u(0x7c00u);'
            : 'return (bits & vec4u(0x7f800000u)) != vec4u(0x7f800000u);'
        }
      }

      // A workgroup for each image.
      @compute @workgroup_size(256)
      fn main(
        @builtin(workgroup_id) group: vec3u,
        @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32,
      ) {
        let image = group.x + group.y * groups.x;
        if (image >= u.images) { return; }
        var largest = vec4f();
        var scale = vec4f();
        var others = vec4f();
        for (var quad = lane; quad < u.quads; quad += 256u) {
          let bits = actual[image * u.quads + quad];
          let wanted = expected[image * u.quads + quad];
          let finite = areFinite(bits);
          largest = max(largest, select(vec4f(), abs(numbersOf(bits) - wanted), finite));
          scale = max(scale, abs(wanted));
          others += select(vec4f(1.0), vec4f(), finite);
        }
        let both = max(vec4f(largest.xy, scale.xy), vec4f(largest.zw, scale.zw));
        found[lane] = vec4f(max(both.x, both.y), max(both.z, both.w), dot(others, vec4f(1.0)), 0.0);
        for (var half = 128u; half > 0u; half /= 2u) {
          workgroupBarrier(); // what is read is written
          if (lane < half) {
            let other = found[lane + half];
            found[lane] = vec4f(max(found[lane].xy, other.xy), found[lane].z + other.z, 0.0);
          }
        }
        if (lane == 0u) {
          output[${IMAGE}u * image] = found[0].x;
          output[${IMAGE}u * image + 1u] = found[0].y;
          output[${IMAGE}u * image + 2u] = found[0].z;
        }
      }`,
    samples(random) {
      const expected = uniformTensor(random, [3, 5, 7, 4]);
      const actual = uniformTensor(random, [3, 5, 7, 4]);
      actual.data[150] = Number.NaN;
      actual.data[300] = Number.POSITIVE_INFINITY;
      return [[{ actual: inAWord === 2 ? toHalves(actual) : actual, expected }, undefined]];
    },
  };
}
