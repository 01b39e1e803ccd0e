/** Who needs a node: nobody, one owner, or several. */
import type { NodeId, ObjectGraph } from './object-graph.ts';
import { UsageSum } from './object-graph.ts';
import type { SharedUsage } from './report.ts';

const NOBODY = 0;
const SEVERAL = 0xffffffff;

export class Owners {
  readonly #graph: ObjectGraph;
  /** Owner's number + 1. */
  readonly #owner: Uint32Array;
  readonly #totals: UsageSum[] = [];

  constructor(graph: ObjectGraph) {
    this.#graph = graph;
    this.#owner = new Uint32Array(graph.size);
  }

  /** Adds an owner of everything that these nodes reach; returns its number. `visit` sees each of its nodes once. */
  add(from: Iterable<NodeId>, visit: (node: NodeId) => void = () => {}): number {
    const total = new UsageSum();
    const own = this.#totals.push(total);
    this.#graph.walk(from, (node) => {
      const owner = this.#owner[node] as number;
      this.#owner[node] = owner === NOBODY ? own : SEVERAL;
      this.#graph.count(node, total);
      visit(node);
    });
    return own - 1;
  }

  /** Tells whether only this owner needs the node. */
  isExclusive(node: NodeId, owner: number): boolean {
    return this.#owner[node] === owner + 1;
  }

  /** What each owner needs, in order of their numbers. */
  usages(): SharedUsage[] {
    const exclusive = this.#totals.map(() => new UsageSum());
    for (const [node, owner] of this.#owner.entries()) {
      if (owner !== NOBODY && owner !== SEVERAL) this.#graph.count(node, exclusive[owner - 1] as UsageSum);
    }
    return this.#totals.map((total, i) => {
      const own = exclusive[i] as UsageSum;
      return { exclusive: own.toUsage(), shared: total.minus(own) };
    });
  }
}
