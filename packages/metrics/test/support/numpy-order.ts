/**
 * Indices of the values in ascending order, equal ones as NumPy 1.24 leaves them (`argsort` with its default kind).
 *
 * That sort is a quicksort: the median of first, middle and last as pivot, the smaller part first, and parts of up to
 * sixteen by insertion. Its switch to a heapsort on adverse input is left out: short lists do not reach it.
 */
export function numpyOrder(values: ArrayLike<number>): number[] {
  const order = Array.from(values, (_, index) => index);
  const waiting: [number, number][] = [[0, values.length - 1]];
  for (let part = waiting.pop(); part; part = waiting.pop()) {
    let [first, last] = part;
    while (last - first > 15) {
      const pivot = partition(values, order, first, last);
      if (pivot - first < last - pivot) {
        waiting.push([pivot + 1, last]);
        last = pivot - 1;
      } else {
        waiting.push([first, pivot - 1]);
        first = pivot + 1;
      }
    }
    insert(values, order, first, last);
  }
  return order;
}

/** Puts smaller values before the pivot and larger ones after it; returns its place. */
function partition(values: ArrayLike<number>, order: number[], first: number, last: number): number {
  const middle = first + ((last - first) >> 1);
  swapIfLess(values, order, middle, first);
  swapIfLess(values, order, last, middle);
  swapIfLess(values, order, middle, first);
  const pivot = values[order[middle]];
  let left = first;
  let right = last - 1;
  swap(order, middle, right);
  while (true) {
    do left++;
    while (values[order[left]] < pivot);
    do right--;
    while (pivot < values[order[right]]);
    if (left >= right) break;
    swap(order, left, right);
  }
  swap(order, left, last - 1);
  return left;
}

function insert(values: ArrayLike<number>, order: number[], first: number, last: number): void {
  for (let next = first + 1; next <= last; next++) {
    const moving = order[next];
    let place = next;
    for (; place > first && values[moving] < values[order[place - 1]]; place--) order[place] = order[place - 1];
    order[place] = moving;
  }
}

function swapIfLess(values: ArrayLike<number>, order: number[], later: number, earlier: number): void {
  if (values[order[later]] < values[order[earlier]]) swap(order, later, earlier);
}

function swap(order: number[], left: number, right: number): void {
  [order[left], order[right]] = [order[right], order[left]];
}
