import type { SubgroupMatrix } from '../../src/index.ts';

/**
 * A program of `conv2dMatrix` for devices without subgroup matrices: its unit is replaced by one whose matrices are places in
 * workgroup memory, multiplied by loops in float32, and 32 invocations play a subgroup. All else of the program stays: which
 * numbers are brought where, which matrices are multiplied, and where their sums go.
 *
 * @throws Error when the program's text is not what is replaced here
 */
export function emulatedUnit(code: string, { M, N, K }: SubgroupMatrix): string {
  const [unit, body] = split(code, '  override lanes');
  const sizes = ['ownPixels', 'ownChannels'].map((name) => /\d+/.exec(unit.split(`const ${name} = `)[1])?.[0]);
  const constants = { tall: M, wide: N, deep: K, ownPixels: sizes[0], ownChannels: sizes[1] };
  const names = Object.entries(constants).map(([name, value]) => `const ${name} = ${value}u;`);
  const [head, rest] = split(
    body,
    '    @builtin(subgroup_id) own: u32,\n    @builtin(subgroup_invocation_id) ownLane: u32,\n',
  );
  const [parameters, statements] = split(rest.slice(rest.indexOf('  ) {')), '  ) {\n');
  const start = '  ) {\n    let own = lane / lanes;\n    let ownLane = lane % lanes;\n    emulatedLane = ownLane;\n';
  return `${names.join('\n')}\n${EMULATION}\n${head}${parameters}${start}${statements.slice('  ) {\n'.length)}`;
}

function split(text: string, at: string): readonly [string, string] {
  const place = text.indexOf(at);
  if (place < 0) throw new Error(`The program of conv2dMatrix no longer contains ${at}.`);
  const cut = at.startsWith('    @builtin') ? place + at.length : place;
  return [text.slice(0, place), text.slice(cut)];
}

const EMULATION = /* wgsl */ `
  alias Number = f32;
  const held = tall * wide / 4u / 32u + select(0u, 1u, tall * wide / 4u % 32u > 0u); // quads of a matrix in each invocation
  struct Left { at: u32 }
  struct Right { at: u32 }
  struct Sum { quads: array<vec4f, held> }
  var<private> emulatedLane: u32;

  fn opened(quad: vec2u) -> vec4f { return vec4f(unpack2x16float(quad.x), unpack2x16float(quad.y)); }
  fn leftAt(at: u32) -> Left { return Left(at); }
  fn rightAt(at: u32) -> Right { return Right(at); }
  fn added(sum: Sum, left: Left, right: Right) -> Sum {
    var next = sum;
    for (var i = 0u; i < held; i++) {
      let index = emulatedLane + 32u * i;
      if (index >= tall * wide / 4u) { continue; }
      for (var k = 0u; k < deep; k++) {
        let factor = gathered[left.at + index / (wide / 4u) * gatheredRow + k / 4u][k % 4u];
        next.quads[i] += factor * filters[right.at + k * filtersRow + index % (wide / 4u)];
      }
    }
    return next;
  }
  fn put(at: u32, sum: Sum) {
    for (var i = 0u; i < held; i++) {
      let index = emulatedLane + 32u * i;
      if (index < tall * wide / 4u) { scratch[at + index] = sum.quads[i]; }
    }
  }`;
