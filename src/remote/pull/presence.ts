/** Which objects are here, in the repository, its parents or staged, asked for many at once as long as a scan runs. */
import type { Checksum } from '../../core/index.ts';
import type { ObjectType } from '../../format/index.ts';
import { ObjectNames, type Repo, type Transaction } from '../../repo/index.ts';

/** A tree of so many directories has more files than there are directories of objects: all of these will be read. */
const MANY_LOOKS = 512;

const prefixOf = (checksum: Checksum): string => checksum.slice(0, 2);

export class Presence {
  readonly #repos: readonly Repo[];
  readonly #transaction: Transaction;
  #names: readonly ObjectNames[] = [];

  constructor(transaction: Transaction) {
    this.#transaction = transaction;
    const repos: Repo[] = [];
    for (let repo: Repo | undefined = transaction.view; repo !== undefined; repo = repo.parent) repos.push(repo);
    this.#repos = repos;
    this.forget();
  }

  /** Must be called when objects may have come by other ways than this scan. */
  forget(): void {
    this.#names = this.#repos.map((repo) => new ObjectNames(repo, { manyLooks: MANY_LOOKS }));
  }

  has(checksum: Checksum, type: ObjectType): boolean {
    return this.#repos.some((repo, i) => this.#mayHave(repo, checksum) && this.#names[i]?.has(checksum, type) === true);
  }

  /** Gives those of the objects that are nowhere. Objects whose names begin alike should come one after the other. */
  absent(checksums: Iterable<Checksum>, type: ObjectType): Checksum[] {
    const found: Checksum[] = [];
    let alike: Checksum[] = [];
    for (const checksum of checksums) {
      if (alike[0] !== undefined && prefixOf(alike[0]) !== prefixOf(checksum)) {
        found.push(...this.#absentOf(alike, type));
        alike = [];
      }
      alike.push(checksum);
    }
    found.push(...this.#absentOf(alike, type));
    return found;
  }

  #absentOf(alike: readonly Checksum[], type: ObjectType): readonly Checksum[] {
    const [first] = alike;
    if (first === undefined) return alike;
    return this.#names.reduce((left, names, i) => {
      const isAsked = left.some((checksum) => this.#mayHave(this.#repos[i], checksum));
      return isAsked ? names.absent(prefixOf(first), left, type) : left;
    }, alike);
  }

  #mayHave(repo: Repo | undefined, checksum: Checksum): boolean {
    return repo !== this.#transaction.view || this.#transaction.writer.mayBeStaged(checksum);
  }
}
