/** Makes objects by hand, also ones that no writer would make: raw bytes under any name. */
import { outputFileSync } from 'fs-extra/esm';
import { type Checksum, checksumOf } from '../../src/core/index.ts';
import { type Dirtree, encodeCommit, encodeDirtree, encodeInodeMeta, type ObjectType, S_IFREG } from '../../src/format/index.ts';
import { beginTransaction, objectPath, type Repo } from '../../src/repo/index.ts';

/** Puts bytes into the repository as the object of this name, whatever they hash to. */
export function putObject(repo: Repo, type: ObjectType, bytes: Uint8Array, checksum: Checksum = checksumOf(bytes)): Checksum {
  outputFileSync(objectPath(repo, checksum, type), bytes);
  return checksum;
}

/** Puts a directory's metadata. */
export function putDirmeta(repo: Repo, mode = 0o755): Checksum {
  return putObject(repo, 'dirmeta', encodeInodeMeta({ uid: 0, gid: 0, mode: 0o040000 | mode, xattrs: [] }));
}

/** Puts a directory. */
export function putDirtree(repo: Repo, dirtree: Partial<Dirtree>): Checksum {
  return putObject(repo, 'dirtree', encodeDirtree({ files: dirtree.files ?? [], dirs: dirtree.dirs ?? [] }));
}

/** Puts a commit of a root directory with mode 0755. */
export function putCommit(repo: Repo, rootTree: Checksum, rootMeta = putDirmeta(repo)): Checksum {
  return putObject(
    repo,
    'commit',
    encodeCommit({
      metadata: [],
      parent: undefined,
      related: [],
      subject: '',
      body: '',
      timestampSec: 1_700_000_000n,
      rootTree,
      rootMeta,
    }),
  );
}

/** Writes regular files of root, mode 0644, through a transaction. */
export async function putFiles(repo: Repo, contents: readonly string[]): Promise<Checksum[]> {
  const transaction = await beginTransaction(repo, { fsync: false });
  const header = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0, mode: S_IFREG | 0o644, target: '', xattrs: [] };
  const written = contents.map((content) => transaction.writer.writeBuffer(header, Buffer.from(content)).checksum);
  await transaction.commit();
  return written;
}
