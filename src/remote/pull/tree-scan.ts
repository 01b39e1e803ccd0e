/**
 * Finds what commits need and what of it is not here: directories are read where they are, those that are missing are
 * fetched in batches by the pool, and what they name is looked at in turn. When many are missing, a mirror that has a pack of all
 * of the commit's directories is asked for that.
 *
 * Each object is looked at once. File objects are collected, not fetched: which of them are missing, and how much there is to
 * download, is known before the first of them.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Checksum, HacktreeError, type ReportProgress } from '../../core/index.ts';
import { type Dirtree, type ObjectName, printObjectName } from '../../format/index.ts';
import { hasObject, loadDirtree, ObjectTable, type Repo, type Transaction } from '../../repo/index.ts';
import type { Pool } from '../../sys/index.ts';
import type { TreePack } from '../mirror-index/tree-pack.ts';
import { interrupted } from './interrupt.ts';
import { decodeHashed } from './metadata.ts';
import type { PullPools } from './pools.ts';
import { Presence } from './presence.ts';
import type { PullBatchResult, PullTask } from './pull-worker.ts';
import { objectsOf, RowWriter } from './rows.ts';

const BATCH_OBJECTS = 64;
/** From so many missing directories on, a pack of all of them is asked for. */
const PACK_FROM_OBJECTS = 128;
/** Objects taken from a pack that are stored together. */
const PACK_SLICE = 256;

/** Counts of what was brought in. */
export interface PullTotals {
  metadata: number;
  content: number;
  contentBytes: number;
  transferredBytes: number;
  /** What downloads of the objects that were made of content that is here would have cost. */
  savedByIndex: number;
  /** Content that parts of static deltas made, less what the parts weigh. */
  savedByDeltas: number;
}

export class TreeScan {
  readonly #view: Repo;
  readonly #presence: Presence;
  readonly #pool: Pool<PullTask, PullBatchResult>;
  readonly #here: Pool<PullTask, PullBatchResult>;
  readonly #totals: PullTotals;
  readonly #report: ReportProgress;
  readonly #signal: AbortSignal | undefined;
  readonly #seen = new ObjectTable();
  readonly #pending: Checksum[] = [];
  readonly #wanted: RowWriter;
  readonly #running = new Set<Promise<void>>();
  /** Of what was taken from packs: it names nothing that is not known. */
  readonly #storing = new Set<Promise<void>>();
  #failure: { error: unknown } | undefined;
  /** Directories that had to be asked for. */
  #requested = 0;
  #askForPack: (() => Promise<TreePack | undefined>) | undefined;
  #pack: TreePack | undefined;
  /** Taken from packs and not yet sent to be stored. */
  readonly #taken: RowWriter;
  #takenBytes: Buffer[] = [];
  /** Size of what was taken from packs. */
  packedBytes = 0;

  constructor(
    transaction: Transaction,
    { pool, here }: PullPools,
    options: { totals: PullTotals; report: ReportProgress; signal: AbortSignal | undefined },
  ) {
    this.#view = transaction.view;
    this.#presence = new Presence(transaction);
    this.#pool = pool;
    this.#here = here;
    this.#wanted = new RowWriter(pool.size > 0);
    this.#taken = new RowWriter(pool.size > 0);
    this.#totals = options.totals;
    this.#report = options.report;
    this.#signal = options.signal;
  }

  /**
   * Brings in everything below a directory but its files, which are collected; what is known by then may still be on its way to the
   * disk, see settle. `askForPack`: where all directories may come from.
   */
  async scan(tree: Checksum, meta: Checksum, askForPack?: () => Promise<TreePack | undefined>): Promise<void> {
    this.#presence.forget();
    this.#askForPack = askForPack;
    this.#pack = undefined;
    this.#requested = 0;
    this.#visit({ checksum: meta, type: 'dirmeta' });
    this.#visit({ checksum: tree, type: 'dirtree' });
    await this.#drain();
  }

  /** Waits until everything that was scanned is staged. Errors: those of writing. */
  async settle(): Promise<void> {
    await Promise.all(this.#storing);
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** File objects that are not here, of all that was scanned. */
  missingFiles(): Checksum[] {
    const missing = this.#presence.absent(this.#seen.checksums('file'), 'file');
    this.#presence.forget(); // all names of a repository are some megabytes
    return missing;
  }

  /** Brings in the directories on a path, and everything at its end. Errors: `path-not-found`. */
  async scanPath(
    root: { readonly tree: Checksum; readonly meta: Checksum },
    path: string,
    { mayBeMissing = false }: { mayBeMissing?: boolean } = {},
  ): Promise<void> {
    let at = root;
    const names = path.split('/').filter((name) => name !== '' && name !== '.');
    for (const name of names) {
      const dirtree = await this.#loadDirtree(at);
      const dir = dirtree.dirs.find((entry) => entry.name === name);
      const file = dirtree.files.find((entry) => entry.name === name);
      if (file !== undefined) {
        this.#visit({ checksum: file.checksum, type: 'file' });
        return;
      }
      if (dir === undefined && mayBeMissing) return;
      if (dir === undefined)
        throw new HacktreeError('path-not-found', `No such file or directory: ${path}`, { details: { path } });
      at = dir;
    }
    await this.scan(at.tree, at.meta);
  }

  /** Fetches one directory without what is below it. */
  async #loadDirtree({ tree, meta }: { tree: Checksum; meta: Checksum }): Promise<Dirtree> {
    const rows = new RowWriter(this.#here.size > 0);
    if (!hasObject(this.#view, meta, 'dirmeta')) rows.add(meta, 'dirmeta');
    if (!hasObject(this.#view, tree, 'dirtree')) rows.add(tree, 'dirtree');
    if (rows.count > 0) this.#account(await this.#here.run({ kind: 'fetch', rows: rows.take() }));
    return loadDirtree(this.#view, tree);
  }

  #visit({ checksum, type }: ObjectName): void {
    if (!this.#seen.add(checksum, type) || type === 'file') return;
    if (type === 'dirtree') this.#pending.push(checksum);
    else if (!this.#presence.has(checksum, type)) this.#want({ checksum, type });
  }

  /** Enough is missing to ask for a pack; what else is missing is held back until it has come. */
  get #awaitsPack(): boolean {
    return this.#askForPack !== undefined && this.#requested >= PACK_FROM_OBJECTS;
  }

  #want(object: ObjectName): void {
    const { checksum, type } = object;
    if (this.#takeFromPack(object)) return;
    this.#requested++;
    this.#wanted.add(checksum, type);
    if (this.#wanted.count >= BATCH_OBJECTS && !this.#awaitsPack) this.#send();
  }

  async #drain(): Promise<void> {
    for (;;) {
      for (let tree = this.#pending.pop(); tree !== undefined; tree = this.#pending.pop()) {
        this.#visitTree(tree);
        if (this.#taken.count >= PACK_SLICE) await this.#storeTaken();
        while (this.#running.size + this.#storing.size >= this.#pool.capacity) await this.#settleOne();
      }
      if (this.#awaitsPack) await this.#loadPack();
      if (this.#taken.count > 0) await this.#storeTaken();
      if (this.#wanted.count > 0) this.#send();
      if (this.#pending.length > 0) continue;
      if (this.#running.size === 0) return;
      await this.#settleOne();
    }
  }

  #visitTree(checksum: Checksum): void {
    if (!this.#presence.has(checksum, 'dirtree')) {
      this.#want({ checksum, type: 'dirtree' });
      return;
    }
    this.#visitChildren(loadDirtree(this.#view, checksum));
  }

  #visitChildren({ files, dirs }: Dirtree): void {
    for (const file of files) this.#visit({ checksum: file.checksum, type: 'file' });
    for (const { tree, meta } of dirs) {
      this.#visit({ checksum: meta, type: 'dirmeta' });
      this.#visit({ checksum: tree, type: 'dirtree' });
    }
  }

  #send(): void {
    // The first levels of a tree have few directories, and a pack may bring the rest: another thread would only have to start.
    const isLittle = this.#wanted.count < BATCH_OBJECTS || this.#askForPack !== undefined;
    const pool = isLittle ? this.#here : this.#pool;
    this.#start({ kind: 'fetch', rows: this.#wanted.take() }, pool, this.#running);
  }

  /** Has what was taken from packs stored by another thread, and lets signals and progress through. */
  async #storeTaken(): Promise<void> {
    const parts = this.#takenBytes;
    this.#takenBytes = [];
    const lengths = parts.map(({ length }) => length);
    this.#start({ kind: 'store', rows: this.#taken.take(), lengths, bytes: Buffer.concat(parts) }, this.#pool, this.#storing);
    this.#reportTotals();
    await nextTurn();
    this.#checkSignal();
  }

  #start(task: PullTask, pool: Pool<PullTask, PullBatchResult>, running: Set<Promise<void>>): void {
    const result: Promise<void> = pool.run(task).then(
      (result) => {
        this.#account(result);
        for (const object of objectsOf(result.children)) this.#visit(object);
      },
      (error: unknown) => {
        this.#failure ??= { error };
      },
    );
    const done = result.then(() => void running.delete(done));
    running.add(done);
  }

  async #loadPack(): Promise<void> {
    this.#pack = await this.#askForPack?.();
    this.#askForPack = undefined;
    for (const object of objectsOf(this.#wanted.take())) this.#want(object);
  }

  #takeFromPack({ checksum, type }: ObjectName): boolean {
    if (type !== 'dirtree' && type !== 'dirmeta') return false;
    const bytes = this.#pack?.get(checksum, type);
    if (bytes === undefined) return false;
    const value = decodeHashed(bytes, checksum, type, { where: 'a pack of the remote' });
    this.#taken.add(checksum, type);
    this.#takenBytes.push(bytes);
    this.packedBytes += bytes.length;
    this.#totals.metadata++;
    if (type === 'dirtree') this.#visitChildren(value as Dirtree);
    return true;
  }

  #checkSignal(): void {
    if (this.#signal?.aborted === true) throw interrupted();
  }

  async #settleOne(): Promise<void> {
    await Promise.race([...this.#running, ...this.#storing]);
    this.#checkSignal();
    if (this.#failure === undefined) return;
    await Promise.all([...this.#running, ...this.#storing]);
    throw this.#failure.error;
  }

  #account(result: PullBatchResult): void {
    const totals = this.#totals;
    totals.metadata += result.metadata;
    totals.transferredBytes += result.transferredBytes;
    requireAll(result.missing);
    this.#reportTotals();
  }

  #reportTotals(): void {
    const { metadata, transferredBytes } = this.#totals;
    this.#report({ phase: 'Receiving metadata', objectsDone: metadata, bytesDone: transferredBytes });
  }
}

/** Errors: `object-missing` naming the first of the objects that the remote lacks. */
export function requireAll(missing: readonly ObjectName[]): void {
  const [first] = missing;
  if (first === undefined) return;
  const more = missing.length === 1 ? '' : ` and ${missing.length - 1} more`;
  throw new HacktreeError('object-missing', `The remote has no object ${printObjectName(first)}${more}`, {
    details: { object: printObjectName(first), missing: missing.map(printObjectName) },
    hints: ['the mirror is incomplete; try again later or use another one'],
  });
}
