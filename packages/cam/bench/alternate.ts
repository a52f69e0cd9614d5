/** Seconds of the same work, several times over. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** How often to measure: so many rounds at least, and more until they have taken so long together. */
export interface Rounds {
  readonly least: number;
  readonly seconds: number;
}

/**
 * Times several works in rounds, each of them once a round: when the device's clocks drift, they do so for all alike, and the
 * medians can be compared. What is to be compiled or planned was done before, by `warmUp`.
 */
export async function alternate<Name extends string>(
  works: { readonly [name in Name]: () => Promise<unknown> },
  { least, seconds }: Rounds,
): Promise<{ readonly [name in Name]: Spread }> {
  const names = Object.keys(works) as Name[]; // no others are in it
  const taken = names.map((): number[] => []);
  const start = performance.now();
  for (let round = 0; round < least || performance.now() - start < 1000 * seconds; round++) {
    for (const [index, name] of names.entries()) taken[index].push(await secondsOf(works[name]));
  }
  return Object.fromEntries(names.map((name, index) => [name, spreadOf(taken[index])])) as {
    [name in Name]: Spread; // one entry a name
  };
}

/** Does some works over and over, each once at least, until so many seconds are over and the device's clocks have risen. */
export async function warmUp(works: readonly (() => Promise<unknown>)[], seconds: number): Promise<void> {
  const start = performance.now();
  do for (const work of works) await work();
  while (performance.now() - start < 1000 * seconds);
}

/** Of one kind of work that is timed alone. */
export async function spreadOfRounds(work: () => Promise<unknown>, rounds: Rounds): Promise<Spread> {
  return (await alternate({ work }, rounds)).work;
}

/** The median, the upper one of an even number, as elsewhere in the benchmarks. */
function spreadOf(seconds: readonly number[]): Spread {
  const sorted = seconds.toSorted((a, b) => a - b);
  return { median: sorted[Math.floor(sorted.length / 2)], least: sorted[0], most: sorted[sorted.length - 1] };
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
