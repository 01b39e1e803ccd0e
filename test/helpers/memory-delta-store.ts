/** Objects in memory, as the place where deltas find and put them; counts what is left open. */
import { type Checksum, createSha256, HacktreeError } from '../../src/core/index.ts';
import { encodeFileHeader, type FileHeader, fileChecksum, type ObjectName } from '../../src/format/index.ts';
import { type DeltaStore, memorySource } from '../../src/remote/index.ts';

export interface MemoryFile {
  readonly header: FileHeader;
  readonly content: Buffer;
}

export class MemoryDeltaStore implements DeltaStore {
  readonly files = new Map<Checksum, MemoryFile>();
  readonly metadata = new Map<Checksum, Buffer>();
  openSinks = 0;
  openSources = 0;
  sourcesOpened = 0;

  /** Puts a file object and returns its checksum. */
  putFile(header: FileHeader, content: Buffer): Checksum {
    const checksum = fileChecksum(header, content);
    this.files.set(checksum, { header, content });
    return checksum;
  }

  has({ checksum }: ObjectName): boolean {
    return this.files.has(checksum) || this.metadata.has(checksum);
  }

  openSource(checksum: Checksum) {
    const file = this.files.get(checksum);
    if (file === undefined) throw new HacktreeError('object-missing', `No such file object ${checksum}`);
    const source = memorySource(file.content);
    this.openSources++;
    this.sourcesOpened++;
    return {
      sizeBytes: source.sizeBytes,
      read: (offset: number, length: number) => {
        if (offset < 0 || offset + length > source.sizeBytes) throw new Error('a source is read outside');
        return source.read(offset, length);
      },
      close: () => {
        this.openSources--;
      },
    };
  }

  writeMetadata(_type: string, checksum: Checksum, bytes: Uint8Array): void {
    this.metadata.set(checksum, Buffer.from(bytes));
  }

  startFile(header: FileHeader, sizeBytes: number) {
    const hash = createSha256().update(encodeFileHeader(header));
    const chunks: Buffer[] = [];
    this.openSinks++;
    return {
      write: (bytes: Uint8Array) => {
        hash.update(bytes);
        chunks.push(Buffer.from(bytes));
      },
      finish: (expected: Checksum) => {
        this.openSinks--;
        const checksum = hash.digest().toString('hex') as Checksum;
        if (checksum !== expected) throw new HacktreeError('object-corrupt', `expected ${expected}, found ${checksum}`);
        const content = Buffer.concat(chunks);
        if (content.length !== sizeBytes) throw new Error('a file has not the size that was announced');
        this.files.set(checksum, { header, content });
      },
      abort: () => {
        this.openSinks--;
      },
    };
  }
}
