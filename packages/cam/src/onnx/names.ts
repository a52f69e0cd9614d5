import type { Parts } from './prune.ts';

/** A name like `base` that no value of the network has. */
export function freshName(network: Named, base: string): string {
  const taken = new Set([
    ...network.nodes.flatMap(({ outputs }) => outputs),
    ...network.constants.keys(),
    ...network.inputs.map(({ name }) => name),
  ]);
  let name = base;
  while (taken.has(name)) name += '_';
  return name;
}

type Named = Parts & { readonly inputs: readonly { readonly name: string }[] };
