/** Content of file objects on its way out of the repository: written to a new file, or compared with an existing one. */
import * as fs from 'node:fs';
import { HacktreeError } from '../core/index.ts';
import { contentChunks, type FileObject, readContent, WHOLE_BUFFER_BYTES } from '../repo/index.ts';
import { copyContent, readChunks, writeFully } from '../sys/index.ts';

/** From this size on free space is looked at before writing. Bytes. */
const LARGE_BYTES = 1 << 26;

/** Writes an object's content to an open, empty file. Errors: `no-space`, `object-corrupt`, system errors. */
export function writeContent(object: FileObject, to: number): void | Promise<void> {
  if (object.sizeBytes === 0) return;
  if (object.sizeBytes >= LARGE_BYTES) checkSpace(object, to);
  if (object.deflateOffset !== undefined) {
    if (object.sizeBytes > WHOLE_BUFFER_BYTES) return writeChunks(object, to);
    writeFully(to, readContent(object));
    return;
  }
  const from = fs.openSync(object.path, 'r');
  try {
    copyContent(from, to, object.sizeBytes);
  } finally {
    fs.closeSync(from);
  }
}

async function writeChunks(object: FileObject, to: number): Promise<void> {
  for await (const chunk of contentChunks(object)) writeFully(to, chunk);
}

/** An object says how large it is before its content proves it: a lie must not fill the disk. */
function checkSpace({ path, sizeBytes }: FileObject, to: number): void {
  const { bavail, bsize } = fs.statfsSync(`/proc/self/fd/${to}`);
  const freeBytes = bavail * bsize;
  if (sizeBytes <= freeBytes) return;
  throw new HacktreeError('no-space', `Not enough space for a file of ${sizeBytes} bytes, available ${freeBytes} bytes`, {
    details: { path, expected: sizeBytes, found: freeBytes },
  });
}

/** Tells whether an open file has exactly an object's content. */
export function hasContent(fd: number, object: FileObject): boolean {
  if (fs.fstatSync(fd).size !== object.sizeBytes) return false;
  if (object.deflateOffset !== undefined) return readContent(object).equals(fs.readFileSync(fd));
  const own = readChunks(fd);
  for (const chunk of readChunks(object.path)) {
    const next = own.next();
    if (next.done === true || !next.value.equals(chunk)) return false;
  }
  return true;
}
