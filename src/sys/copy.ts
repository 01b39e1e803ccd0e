/** Copies file content the cheapest way there is: reflink, else inside the kernel, else through a buffer. */
import * as fs from 'node:fs';
import { cloneFile, copyRange } from './natives.ts';

const PIECE_BYTES = 1 << 26;
const BUFFER_BYTES = 1 << 18;

/** Copies the first `sizeBytes` of one open file into another, empty one. Returns whether storage is shared. */
export function copyContent(from: number, to: number, sizeBytes: number): boolean {
  if (cloneFile(from, to)) return true;
  let at = 0;
  while (at < sizeBytes) {
    const copied = copyRange(from, to, at, Math.min(PIECE_BYTES, sizeBytes - at));
    if (copied === undefined || copied === 0) break;
    at += copied;
  }
  if (at < sizeBytes) copyThroughBuffer(from, to, at, sizeBytes);
  return false;
}

function copyThroughBuffer(from: number, to: number, start: number, end: number): void {
  const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  fs.ftruncateSync(to, start);
  for (let at = start; at < end; ) {
    const read = fs.readSync(from, buffer, 0, Math.min(buffer.length, end - at), at);
    if (read === 0) return;
    let written = 0;
    while (written < read) written += fs.writeSync(to, buffer, written, read - written, at + written);
    at += read;
  }
}
