/**
 * A repository as the place where static deltas find and put objects.
 *
 * Sources are read in place from bare repositories. Content of an archive is deflated and has to be inflated as a whole
 * to be read anywhere in it, into memory: at most what the generator of the delta allowed for a source (128 MB).
 */
import * as fs from 'node:fs';
import { type Checksum, EMPTY_BYTES, HacktreeError } from '../../core/index.ts';
import { type FileHeader, fileChecksum, isRegularMode, isSymlinkMode, type ObjectName } from '../../format/index.ts';
import { loadFile, type ObjectWriter, type Repo, readContent } from '../../repo/index.ts';
import { memorySource } from './bspatch.ts';
import type { DeltaMetadataType, DeltaSink, DeltaSource, DeltaStore } from './execute.ts';

/** Opens a store that puts objects by a writer and finds them in a repository (the view of the writer's transaction). */
export function openDeltaStore(writer: ObjectWriter, view: Repo): DeltaStore {
  return {
    has: ({ checksum, type }: ObjectName) => writer.has(checksum, type),
    openSource: (checksum: Checksum) => openSource(view, checksum),
    writeMetadata: (type: DeltaMetadataType, _checksum: Checksum, bytes: Uint8Array) => {
      writer.writeMetadata(type, bytes);
    },
    startFile: (header: FileHeader, sizeBytes: number) =>
      isSymlinkMode(header.mode) ? symlinkSink(writer, header) : writer.startFile(header, sizeBytes),
  };
}

function openSource(view: Repo, checksum: Checksum): DeltaSource {
  const file = loadFile(view, checksum);
  if (!isRegularMode(file.header.mode)) {
    throw new HacktreeError('delta-invalid', `The delta's source ${checksum} is not a regular file`);
  }
  if (file.deflateOffset !== undefined) return { ...memorySource(readContent(file)), close: () => {} };
  return fileSource(file.path, file.sizeBytes);
}

/** Reads a file anywhere; the size was checked against the file when it was loaded. */
function fileSource(path: string, sizeBytes: number): DeltaSource {
  const fd = fs.openSync(path, 'r');
  let buffer = Buffer.allocUnsafe(64 * 1024);
  return {
    sizeBytes,
    read(offset, length) {
      if (buffer.length < length) buffer = Buffer.allocUnsafe(length);
      for (let at = 0; at < length; ) {
        const read = fs.readSync(fd, buffer, at, length - at, offset + at);
        if (read === 0) throw new HacktreeError('io', `${path} became shorter while it was read`, { details: { path } });
        at += read;
      }
      return buffer.subarray(0, length);
    },
    close: () => fs.closeSync(fd),
  };
}

function symlinkSink(writer: ObjectWriter, given: FileHeader): DeltaSink {
  return {
    write: () => {
      throw new HacktreeError('internal', 'A symlink has no content');
    },
    finish(expected) {
      const header = writer.canonicalHeader(given);
      const checksum = fileChecksum(header, EMPTY_BYTES);
      if (checksum !== expected) {
        throw new HacktreeError('object-corrupt', `Corrupted file object; checksum expected='${expected}' actual='${checksum}'`, {
          details: { expected, found: checksum },
        });
      }
      writer.writeBuffer(header, EMPTY_BYTES);
    },
    abort: () => {},
  };
}
