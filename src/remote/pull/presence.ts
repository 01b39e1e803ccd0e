/** Which objects are here, in the repository, its parents or staged, asked for many at once as long as a scan runs. */
import type { Checksum } from '../../core/index.ts';
import type { ObjectType } from '../../format/index.ts';
import { ObjectNames, type Repo, type Transaction } from '../../repo/index.ts';

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
    this.#names = this.#repos.map((repo) => new ObjectNames(repo));
  }

  has(checksum: Checksum, type: ObjectType): boolean {
    return this.#repos.some((repo, i) => this.#mayHave(repo, checksum) && this.#names[i]?.has(checksum, type) === true);
  }

  #mayHave(repo: Repo, checksum: Checksum): boolean {
    return repo !== this.#transaction.view || this.#transaction.writer.mayBeStaged(checksum);
  }
}
