/**
 * Imports a tar stream as a tree: files are stored as they come by, metadata straight from the headers, so neither
 * root nor unpacking is needed. The directory tree is small and stays in memory until the end.
 *
 * Source: ostree-cli A.1 (`commit --tree=tar=`, `--tar-autocreate-parents`, `--tar-pathname-filter`).
 */
import * as fs from 'node:fs';
import {
  type Checksum,
  compareUtf8,
  fileNameProblem,
  HacktreeError,
  isHacktreeError,
  type ReportProgress,
  wrapSystemError,
} from '../../core/index.ts';
import { type InodeMeta, NO_XATTRS, S_IFDIR, S_IFLNK, S_IFREG } from '../../format/index.ts';
import { WHOLE_BUFFER_BYTES } from '../content.ts';
import type { WrittenFile } from '../file-sink.ts';
import type { ObjectWriter } from '../object-write.ts';
import { decompress } from '../tar/decompress.ts';
import { readTar, type TarMember } from '../tar/tar-format.ts';
import { type LabelFor, openLabels } from './labels.ts';
import { type Modifiers, modifyInode } from './modifiers.ts';
import type { LayerReport, TreeRef, TreeSink } from './tree-sink.ts';

export interface TarImportOptions {
  readonly writer: ObjectWriter;
  readonly sink: TreeSink;
  readonly modifiers: Modifiers;
  /** Make missing parent directories (0:0 0755) instead of failing. */
  readonly autocreateParents: boolean;
  readonly pathnameFilter: { readonly pattern: string; readonly replacement: string } | undefined;
  readonly skipSpecial: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ReportProgress | undefined;
  readonly onNewContent: (written: WrittenFile) => void;
}

interface Dir {
  meta: InodeMeta | undefined;
  readonly files: Map<string, Checksum>;
  readonly dirs: Map<string, Dir>;
}

const newDir = (): Dir => ({ meta: undefined, files: new Map(), dirs: new Map() });
const DEFAULT_META: InodeMeta = { uid: 0, gid: 0, mode: S_IFDIR | 0o755, xattrs: NO_XATTRS };

/** Imports a tar file, or standard input for `-`. Errors: `tar-invalid`, `name-invalid`, `special-file`, `no-space`, `path-not-found`. */
export async function importTar(path: string, options: TarImportOptions): Promise<LayerReport> {
  const input = path === '-' ? process.stdin : await openTar(path);
  return new TarImporter(options).import(await decompress(input));
}

function openTar(path: string): Promise<fs.ReadStream> {
  return new Promise((resolve, reject) => {
    const stream = fs.createReadStream(path);
    stream.once('open', () => resolve(stream));
    stream.once('error', (error) => reject(wrapSystemError(error, 'Opening', path)));
  });
}

class TarImporter {
  readonly #o: TarImportOptions;
  readonly #root = newDir();
  readonly #filter: RegExp | undefined;
  readonly #labelFor: LabelFor | undefined;
  readonly #specials: string[] = [];
  readonly #matched = new Set<string>();
  #total = 0;
  #written = 0;
  #bytes = 0;

  constructor(options: TarImportOptions) {
    this.#o = options;
    this.#labelFor = openLabels(options.modifiers.selinuxPolicy);
    this.#filter = options.pathnameFilter === undefined ? undefined : compile(options.pathnameFilter.pattern);
  }

  async import(input: Parameters<typeof readTar>[0]): Promise<LayerReport> {
    for await (const member of readTar(input)) {
      this.#o.signal?.throwIfAborted();
      await this.#take(member);
    }
    const root = this.#store(this.#root, '/');
    return {
      ...root,
      total: this.#total,
      filesWritten: this.#written,
      bytesWritten: this.#bytes,
      cacheHits: 0,
      skippedSpecials: this.#specials,
      matched: this.#matched,
    };
  }

  async #take(member: TarMember): Promise<void> {
    const parts = this.#split(member.name);
    const path = `/${parts.join('/')}`;
    if (this.#o.modifiers.skip.has(path)) {
      this.#matched.add(path);
      return;
    }
    if ([...this.#o.modifiers.skip].some((skip) => path.startsWith(`${skip}/`))) return;
    if (member.kind === 'directory') {
      this.#directory(parts, path).meta = this.#modified({ ...fields(member), mode: S_IFDIR | member.mode }, path);
      return;
    }
    const name = parts.at(-1);
    if (name === undefined) throw invalid(member.name, 'a file without a name');
    if (member.kind === 'special') {
      if (!this.#o.skipSpecial) throw special(member.name);
      this.#specials.push(path);
      return;
    }
    const dir = this.#directory(parts.slice(0, -1), path);
    if (dir.dirs.has(name))
      throw new HacktreeError('tar-invalid', `Can't replace directory with file: ${name}`, { details: { path } });
    dir.files.set(name, member.kind === 'hardlink' ? this.#linked(member) : await this.#file(member, path));
    this.#total++;
  }

  #split(raw: string): string[] {
    const filter = this.#o.pathnameFilter;
    const name =
      this.#filter === undefined || filter === undefined
        ? raw
        : strip(raw).replace(this.#filter, toReplacement(filter.replacement));
    const parts = name.split('/').filter((part) => part !== '' && part !== '.');
    for (const part of parts) {
      const problem = fileNameProblem(part);
      if (problem !== undefined)
        throw new HacktreeError('path-unsafe', `${problem} (tar member ${raw})`, { details: { path: raw } });
    }
    return parts;
  }

  /** Finds a directory, making parents where that is allowed. */
  #directory(parts: readonly string[], path: string): Dir {
    let at = this.#root;
    for (const part of parts) {
      if (at.files.has(part))
        throw new HacktreeError('tar-invalid', `Can't replace file with directory: ${part}`, { details: { path } });
      let next = at.dirs.get(part);
      if (next === undefined) {
        next = newDir();
        at.dirs.set(part, next);
      }
      at = next;
    }
    return at;
  }

  #modified<T extends InodeMeta>(inode: T, path: string): T {
    const override = this.#o.modifiers.overrides.get(path);
    if (override !== undefined) this.#matched.add(path);
    return modifyInode(inode, this.#o.modifiers, { override, label: this.#labelFor?.(path, inode.mode) });
  }

  #linked(member: TarMember): Checksum {
    const parts = this.#split(member.linkName);
    const name = parts.pop() ?? '';
    const dir = parts.reduce<Dir | undefined>((at, part) => at?.dirs.get(part), this.#root);
    const checksum = dir?.files.get(name);
    if (checksum !== undefined) return checksum;
    throw invalid(member.name, `a hard link to ${member.linkName}, which is not an earlier file`);
  }

  async #file(member: TarMember, path: string): Promise<Checksum> {
    const isLink = member.kind === 'symlink';
    const mode = isLink ? S_IFLNK | 0o777 : S_IFREG | member.mode;
    const header = { ...this.#modified({ ...fields(member), mode }, path), target: isLink ? member.linkName : '' };
    const written = isLink ? this.#o.writer.writeBuffer(header, Buffer.alloc(0)) : await this.#content(member, header);
    if (written.isNew) {
      this.#written++;
      this.#bytes += written.sizeBytes;
    }
    this.#o.onNewContent(written);
    this.#o.onProgress?.({ phase: 'Importing tar', objectsDone: this.#total + 1, bytesDone: this.#bytes });
    return written.checksum;
  }

  async #content(member: TarMember, header: Parameters<ObjectWriter['writeBuffer']>[0]): Promise<WrittenFile> {
    if (member.sizeBytes <= WHOLE_BUFFER_BYTES) {
      const chunks: Buffer[] = [];
      for await (const chunk of member.content) chunks.push(chunk);
      return this.#o.writer.writeBuffer(header, Buffer.concat(chunks));
    }
    const sink = this.#o.writer.startFile(header, member.sizeBytes);
    try {
      for await (const chunk of member.content) sink.write(chunk);
    } catch (error) {
      sink.abort();
      throw isHacktreeError(error) ? error : invalid(member.name, (error as Error).message);
    }
    return sink.finish();
  }

  #store(dir: Dir, path: string): TreeRef {
    if (dir.meta === undefined && path !== '/' && !this.#o.autocreateParents) {
      throw new HacktreeError('tar-invalid', `No such directory: ${path.slice(1)}`, {
        details: { path, expected: 'a directory member before its files' },
        hints: ['--tar-autocreate-parents makes missing directories'],
      });
    }
    const child = (name: string): string => (path === '/' ? `/${name}` : `${path}/${name}`);
    const files = [...dir.files].map(([name, checksum]) => ({ name, checksum }));
    const dirs = [...dir.dirs].map(([name, sub]) => ({ name, ...this.#store(sub, child(name)) }));
    const byName = (a: { name: string }, b: { name: string }): number => compareUtf8(a.name, b.name);
    const meta = this.#o.sink.addDirmeta(dir.meta ?? this.#modified(DEFAULT_META, path));
    return { tree: this.#o.sink.addDirtree({ files: files.sort(byName), dirs: dirs.sort(byName) }), meta };
  }
}

const fields = ({ uid, gid, xattrs }: TarMember): Omit<InodeMeta, 'mode'> => ({ uid, gid, xattrs });

/** Filters see names without `./` and slashes at their ends, as ostree's do. */
const strip = (name: string): string => name.replace(/^(\.?\/+)+/, '').replace(/\/+$/, '');

/** Turns `\1` of the command line into `$1`. */
const toReplacement = (text: string): string => text.replace(/\$/g, '$$$$').replace(/\\(\d)/g, '$$$1');

function compile(pattern: string): RegExp {
  try {
    return new RegExp(pattern, 'u');
  } catch (cause) {
    throw new HacktreeError('usage', `Invalid regular expression '${pattern}': ${(cause as Error).message}`, { cause });
  }
}

function invalid(member: string, why: string): HacktreeError {
  return new HacktreeError('tar-invalid', `Invalid tar member ${member}: ${why}`, { details: { path: member, found: why } });
}

function special(name: string): HacktreeError {
  return new HacktreeError('special-file', `Not a regular file or symlink: ${name}`, {
    details: { path: name, expected: 'a regular file, symlink or directory' },
    hints: ['--skip-special leaves devices, FIFOs and sockets out and lists them'],
  });
}
