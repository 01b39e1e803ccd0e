/**
 * Fetching bad and missing objects again from another repository, and removing damaged ones.
 *
 * A fetched object is verified while it is written to staging, and takes the place of the damaged one by rename, in one
 * transaction: interrupted at any time, repair has changed nothing or is done, and starts again from what is staged.
 *
 * Source: ostree-format 11, 12.
 */
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { EMPTY_BYTES, isHacktreeError, wrapSystemError } from '../../core/index.ts';
import { fileChecksum, isSymlinkMode, type ObjectName } from '../../format/index.ts';
import { syncDir } from '../../sys/index.ts';
import { lockRepo } from '../lock.ts';
import { objectPath } from '../object-read.ts';
import { ObjectWriter } from '../object-write.ts';
import type { Repo } from '../repo.ts';
import { beginTransaction, type Transaction } from '../transaction.ts';
import type { RepairSource } from './repair-source.ts';
import { FileVerifier, type VerifiableMetadata, verifyMetadata, verifyMetadataBytes } from './verify-object.ts';

/** Replaces objects by sound copies from the source; returns those that the source could give. */
export async function repairObjects(
  repo: Repo,
  source: RepairSource,
  objects: readonly ObjectName[],
  onProgress: (done: number) => void,
): Promise<ObjectName[]> {
  const transaction = await beginTransaction(repo);
  const repaired: ObjectName[] = [];
  try {
    const writer = writerThatReplaces(transaction);
    for (const [i, object] of objects.entries()) {
      if (await fetchObject(source, writer, object)) repaired.push(object);
      onProgress(i + 1);
    }
    for (const object of repaired) removeDirectoryAt(objectPath(repo, object.checksum, object.type));
  } catch (error) {
    transaction.abort();
    throw error;
  }
  await transaction.commit();
  return repaired;
}

/** A writer that takes nothing for present: it stages also what the repository has a damaged copy of. */
function writerThatReplaces({ repo, writerInit }: Transaction): ObjectWriter {
  return new ObjectWriter(writerInit, { ...repo, objectsPath: `${writerInit.stagingPath}/nothing`, parent: undefined });
}

async function fetchObject(source: RepairSource, writer: ObjectWriter, object: ObjectName): Promise<boolean> {
  try {
    return object.type === 'file'
      ? await fetchFile(source, writer, object)
      : await fetchMetadata(source, writer, object.checksum, object.type as VerifiableMetadata);
  } catch (error) {
    // A damaged copy in the source is as good as none.
    if (isHacktreeError(error) && ['object-missing', 'object-corrupt', 'format-invalid'].includes(error.code)) return false;
    throw error;
  }
}

async function fetchMetadata(
  source: RepairSource,
  writer: ObjectWriter,
  checksum: ObjectName['checksum'],
  type: VerifiableMetadata,
): Promise<boolean> {
  const bytes = await source.readMetadata(checksum, type);
  if (bytes === undefined || verifyMetadataBytes(bytes, checksum, type).verdict !== undefined) return false;
  writer.writeMetadata(type, bytes);
  return true;
}

async function fetchFile(source: RepairSource, writer: ObjectWriter, { checksum }: ObjectName): Promise<boolean> {
  const file = await source.openFile(checksum);
  if (file === undefined) return false;
  if (isSymlinkMode(file.header.mode)) {
    if (fileChecksum(writer.canonicalHeader(file.header), EMPTY_BYTES) !== checksum) return false;
    writer.writeBuffer(file.header, EMPTY_BYTES);
    return true;
  }
  await writer.startFile(file.header, file.sizeBytes).writeAll(file.chunks, checksum);
  return true;
}

/** A directory under an object's name would not give way to a rename. */
function removeDirectoryAt(path: string): void {
  if (fs.lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) fs.rmSync(path, { recursive: true });
}

/**
 * Removes damaged objects, those that are still damaged now that nobody else changes the repository.
 * Errors: `repo-locked`, system errors.
 */
export async function deleteDamagedObjects(repo: Repo, objects: readonly ObjectName[]): Promise<ObjectName[]> {
  const lock = await lockRepo(repo, 'exclusive');
  try {
    const verifier = new FileVerifier({ ...repo, parent: undefined });
    const deleted: ObjectName[] = [];
    for (const object of objects) {
      if (!(await isDamaged(repo, verifier, object))) continue;
      const path = objectPath(repo, object.checksum, object.type);
      fs.rmSync(path, { recursive: true });
      if (repo.config.fsync) syncDir(dirname(path));
      deleted.push(object);
    }
    return deleted;
  } catch (error) {
    throw wrapSystemError(error, 'Removing damaged objects from', repo.path);
  } finally {
    lock.release();
  }
}

async function isDamaged(repo: Repo, verifier: FileVerifier, { checksum, type }: ObjectName): Promise<boolean> {
  const own = { ...repo, parent: undefined };
  const { verdict } =
    type === 'file' ? await verifier.verify(checksum) : verifyMetadata(own, checksum, type as VerifiableMetadata);
  return verdict !== undefined && verdict.kind !== 'missing';
}
