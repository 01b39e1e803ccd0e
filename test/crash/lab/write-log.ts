/**
 * Reads a log of block writes as QEMU's blklogwrites filter makes it.
 *
 * **Source:** Linux drivers/md/dm-log-writes.c: superblock of four little-endian numbers (magic, version, entries: 64 bits;
 * sector size: 32), then for each entry one sector with sector, length in sectors, flags and data length, and its data.
 */
import * as fs from 'node:fs';

const MAGIC = 0x6a736677736872n;
const FLAG_FLUSH = 1;
const FLAG_DISCARD = 4;

export interface LoggedWrite {
  /** Byte position on the disk. */
  readonly at: number;
  readonly bytes: Buffer;
}

/** A write, or a flush: every write before it is on the disk from then on. */
export type LogEntry = LoggedWrite | 'flush';

/** Number of entries in a log that is still being written. */
export function countEntries(path: string): number {
  const head = Buffer.alloc(28);
  const fd = fs.openSync(path, 'r');
  try {
    return fs.readSync(fd, head, 0, head.length, 0) < head.length ? 0 : Number(head.readBigUInt64LE(16));
  } finally {
    fs.closeSync(fd);
  }
}

/** Decodes a whole log, one item for each entry. */
export function parseWriteLog(log: Buffer): LogEntry[] {
  if (log.readBigUInt64LE(0) !== MAGIC) throw new Error('not a log of block writes');
  const count = Number(log.readBigUInt64LE(16));
  const sectorBytes = log.readUInt32LE(24);
  const entries: LogEntry[] = [];
  let position = sectorBytes;
  for (let i = 0; i < count; i++) {
    const field = (n: number): number => Number(log.readBigUInt64LE(position + 8 * n));
    const [at, length, flags] = [field(0) * sectorBytes, field(1) * sectorBytes, field(2)];
    position += sectorBytes;
    if (flags === FLAG_FLUSH && length === 0) entries.push('flush');
    else if (flags === FLAG_DISCARD) entries.push({ at, bytes: Buffer.alloc(length) });
    else if (flags === 0) {
      entries.push({ at, bytes: log.subarray(position, position + length) });
      position += length;
    } else throw new Error(`entry ${i} of the log has flags ${flags} and ${length} bytes, which QEMU does not write`);
  }
  return entries;
}
