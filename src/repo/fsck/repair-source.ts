/** Where repair takes sound objects from. What a source returns is verified by whoever asked. */
import type { Checksum } from '../../core/index.ts';
import type { FileHeader, ObjectType } from '../../format/index.ts';
import { contentChunks } from '../content.ts';
import { hasObject, loadFile, tryReadMetadata } from '../object-read.ts';
import type { Repo } from '../repo.ts';

export interface SourceFile {
  readonly header: FileHeader;
  /** Size of the content; 0 for a symlink. */
  readonly sizeBytes: number;
  /** The content, in chunks that are valid until the next one. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

export interface RepairSource {
  /** Reads a metadata object; undefined when the source does not have it. */
  readMetadata(checksum: Checksum, type: ObjectType): Promise<Uint8Array | undefined>;
  /** Opens a file object; undefined when the source does not have it. */
  openFile(checksum: Checksum): Promise<SourceFile | undefined>;
}

/** Takes objects from a repository on this machine, of any mode. */
export function repairFromRepo(repo: Repo): RepairSource {
  return {
    readMetadata: async (checksum, type) => tryReadMetadata(repo, checksum, type),
    openFile: async (checksum) => {
      if (!hasObject(repo, checksum, 'file')) return undefined;
      const file = loadFile(repo, checksum);
      return { header: file.header, sizeBytes: file.sizeBytes, chunks: contentChunks(file) };
    },
  };
}
