/**
 * Draws for each place, from the given one down to 1, one at or before it, as far as the words go. No processor could
 * foresee which draws are refused, so there is no branch on it: a draw beyond the place is written, and written over.
 */
export function drawPartners(partners: Uint32Array, from: number, words: Int32Array): { place: number; used: number } {
  let place = from;
  let used = 0;
  while (place > 0 && used < words.length) {
    const mask = 0xffffffff >>> Math.clz32(place);
    for (const below = mask >>> 1; place > below && used < words.length; used++) {
      const draw = words[used] & mask;
      partners[place] = draw;
      place -= 1 + ((place - draw) >> 31); // stays where the draw is refused
    }
  }
  return { place, used };
}

/** Each place, from the last down to 1, swapped with its partner. */
export function swapped(partners: Uint32Array): Uint32Array<ArrayBuffer> {
  const order = new Uint32Array(partners.length);
  for (let place = 0; place < order.length; place++) order[place] = place;
  for (let place = order.length - 1; place > 0; place--) {
    const number = order[place];
    order[place] = order[partners[place]];
    order[partners[place]] = number;
  }
  return order;
}

/**
 * The start of `swapped`, followed back swap by swap: few places are looked for, and a mark says which they are at a time,
 * so that no long list is swapped to and fro in memory.
 */
export function startOfSwapped(partners: Uint32Array, first: number): Uint32Array<ArrayBuffer> {
  const marks = new Uint16Array(partners.length); // which of the first stands there, from 1
  for (let place = 0; place < first; place++) marks[place] = place + 1;
  for (let place = 1; place < partners.length; place++) {
    const other = partners[place];
    const [mark, otherMark] = [marks[place], marks[other]];
    if ((mark | otherMark) === 0) continue;
    marks[place] = otherMark;
    marks[other] = mark;
  }
  const order = new Uint32Array(first);
  for (let number = 0; number < marks.length; number++) if (marks[number] !== 0) order[marks[number] - 1] = number;
  return order;
}
