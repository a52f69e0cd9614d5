/** How images lie in memory: what they are counted in, how they are declared, and how one pixel of a variant is written. */
const layouts = {
  first: {
    parts: 'channels',
    image: 'array<f32>;          // channels × height × width',
    output: 'array<f32>;   // variants × channels × height × width',
    written: 'output[(variant * u.channels + part) * pixels + pixel] = image[part * pixels + pixel] * mask;',
  },
  last: {
    parts: 'quads',
    image: 'array<vec4f>;        // height × width × quads',
    output: 'array<vec4f>; // variants × height × width × quads',
    written: 'output[(variant * pixels + pixel) * u.quads + part] = image[pixel * u.quads + part] * mask;',
  },
  half: {
    parts: 'quads',
    image: 'array<vec4f>;        // height × width × quads',
    output: 'array<vec2u>; // variants × height × width × quads, halves',
    written: `let value = clamp(image[pixel * u.quads + part] * mask, vec4f(-65504.0), vec4f(65504.0));
          output[(variant * pixels + pixel) * u.quads + part] = vec2u(pack2x16float(value.xy), pack2x16float(value.zw));`,
  },
} as const;

/** Workgroups of a variant at most: enough to hide from each other that they wait for memory. */
const MOST_PORTIONS = 16;

/** How many workgroups share a variant, so that looking for its extremes, which each does, takes no longer than writing its pixels. */
export function portionsOf(pixels: number, map: number, afterResize: boolean): number {
  const looked = !afterResize ? map : 16 * map < pixels ? 4 * map : pixels;
  return Math.max(1, Math.min(MOST_PORTIONS, Math.floor(pixels / (4 * looked))));
}

/**
 * The program of `maskImages` and of its kin with channels last.
 *
 * Extremes of a resized map are looked for where they can be: within a cell of the activation, resizing is linear along each axis,
 * so the first and the last pixel in a cell, up and across, have them; 196 pixels of 50,176 for an activation of 7×7. Between them
 * numbers are rounded, so a mask may leave [0, 1] by as much.
 */
export function maskProgram(layout: keyof typeof layouts): string {
  const { parts, image, output, written } = layouts[layout];
  return /* wgsl */ `
    struct Uniforms {
      variants: u32, ${parts}: u32, height: u32, width: u32,
      mapHeight: u32, mapWidth: u32,
      cornerAligned: u32,                                                // 1: corner pixels coincide, 0: areas do
      afterResize: u32,                                                  // 1: min-max over the resized map
      epsilon: f32,
      portions: u32,                                                     // workgroups of a variant
    }
    @group(0) @binding(0) var<storage, read> image: ${image}
    @group(0) @binding(1) var<storage, read> activations: array<f32>;    // variants × mapHeight × mapWidth
    @group(0) @binding(2) var<storage, read_write> output: ${output}
    @group(0) @binding(3) var<uniform> u: Uniforms;

    var<workgroup> least: array<f32, 256>;
    var<workgroup> largest: array<f32, 256>;

    // One axis of the activation: position index · step + offset, and not below 0.
    struct Axis { length: u32, outLength: u32, step: f32, offset: f32 }

    fn axisOf(length: u32, outLength: u32) -> Axis {
      if (u.cornerAligned == 1u) {
        return Axis(length, outLength, f32(length - 1u) / f32(max(outLength - 1u, 1u)), 0.0);
      }
      let step = f32(length) / f32(outLength);
      return Axis(length, outLength, step, 0.5 * step - 0.5);
    }

    fn positionOf(axis: Axis, index: u32) -> f32 {
      return max(f32(index) * axis.step + axis.offset, 0.0);
    }

    // The cell that a position is in: from one element to the next.
    fn cellOf(axis: Axis, position: f32) -> u32 {
      return min(u32(position), axis.length - 1u);
    }

    // The first pixel in a cell or behind it, the length where there is none.
    fn firstIn(axis: Axis, cell: u32) -> u32 {
      var index = min(u32(max((f32(cell) - axis.offset) / max(axis.step, 1e-30), 0.0)), axis.outLength);
      while (index < axis.outLength && cellOf(axis, positionOf(axis, index)) < cell) { index++; }
      while (index > 0u && cellOf(axis, positionOf(axis, index - 1u)) >= cell) { index--; }
      return index;
    }

    // The first or the last pixel of a cell, as edge is even or odd; another pixel where no pixel is in the cell.
    fn edgeOf(axis: Axis, edge: u32) -> u32 {
      let cell = edge / 2u;
      if (edge % 2u == 0u) { return min(firstIn(axis, cell), axis.outLength - 1u); }
      if (cell + 1u >= axis.length) { return axis.outLength - 1u; }
      return max(firstIn(axis, cell + 1u), 1u) - 1u;
    }

    // One pixel of the resized activation that begins at offset map.
    fn resized(map: u32, row: u32, column: u32, rows: Axis, columns: Axis) -> f32 {
      let y = positionOf(rows, row);
      let x = positionOf(columns, column);
      let top = cellOf(rows, y);
      let left = cellOf(columns, x);
      let upper = map + top * u.mapWidth;
      let lower = map + min(top + 1u, u.mapHeight - 1u) * u.mapWidth;
      let right = min(left + 1u, u.mapWidth - 1u);
      let values = vec4f(activations[upper + left], activations[lower + left], activations[upper + right], activations[lower + right]);
      let sides = mix(values.xy, values.zw, x - f32(left));
      return mix(sides.x, sides.y, y - f32(top));
    }

    // Minimum and maximum of what the lanes of the workgroup bring: of sixteen by sixteen lanes, then of those sixteen by all.
    fn extremes(lane: u32, low: f32, high: f32) -> vec2f {
      workgroupBarrier(); // earlier results have been read
      least[lane] = low;
      largest[lane] = high;
      workgroupBarrier(); // all lanes have written what sixteen of them now read
      if (lane < 16u) {
        for (var other = lane + 16u; other < 256u; other += 16u) {
          least[lane] = min(least[lane], least[other]);
          largest[lane] = max(largest[lane], largest[other]);
        }
      }
      workgroupBarrier(); // sixteen lanes have written what all now read
      var bounds = vec2f(least[0], largest[0]);
      for (var other = 1u; other < 16u; other++) {
        bounds = vec2f(min(bounds.x, least[other]), max(bounds.y, largest[other]));
      }
      return bounds;
    }

    // Each workgroup looks for the extremes of its variant and writes a portion of its pixels.
    @compute @workgroup_size(256)
    fn main(
      @builtin(workgroup_id) group: vec3u,
      @builtin(num_workgroups) groups: vec3u,
      @builtin(local_invocation_index) lane: u32,
    ) {
      let index = group.x + group.y * groups.x;
      let variant = index / u.portions;
      if (variant >= u.variants) { return; }
      let size = u.mapHeight * u.mapWidth;
      let map = variant * size;
      let pixels = u.height * u.width;
      let rows = axisOf(u.mapHeight, u.height);
      let columns = axisOf(u.mapWidth, u.width);

      var low = activations[map];
      var high = low;
      for (var place = lane; place < size; place += 256u) {
        low = min(low, activations[map + place]);
        high = max(high, activations[map + place]);
      }
      let own = extremes(lane, low, high);
      var bounds = own;
      if (u.afterResize == 1u) {
        low = resized(map, 0u, 0u, rows, columns);
        high = low;
        let isCoarse = 16u * size < pixels; // far fewer edges of cells than pixels: each takes longer to find
        for (var place = lane; place < select(pixels, 4u * size, isCoarse); place += 256u) {
          var row = place / u.width;
          var column = place % u.width;
          if (isCoarse) {
            row = edgeOf(rows, place / (2u * u.mapWidth));
            column = edgeOf(columns, place % (2u * u.mapWidth));
          }
          let value = resized(map, row, column, rows, columns);
          low = min(low, value);
          high = max(high, value);
        }
        bounds = extremes(lane, low, high);
      }
      // the activation's own extremes are exact: rounding in a resized constant must not be stretched to a mask
      let isConstant = own.x == own.y || bounds.x == bounds.y;
      let scale = select(1.0 / (bounds.y - bounds.x + u.epsilon), 0.0, isConstant);
      for (var pixel = index % u.portions * 256u + lane; pixel < pixels; pixel += 256u * u.portions) {
        let mask = (resized(map, pixel / u.width, pixel % u.width, rows, columns) - bounds.x) * scale;
        for (var part = 0u; part < u.${parts}; part++) {
          ${written}
        }
      }
    }`;
}
