/**
 * Loads the files of the bundle together with the bytecode that the build has recorded for them.
 *
 * Node's own loaders, the one for ES modules above all, take longer to find and compile the files of a command than
 * the command takes to run. Here a file is read and handed to V8 with its bytecode. `dist/code-cache` holds it: 4 bytes with
 * the length of the index, the index as JSON ({@link CacheIndex}), the bytecode of each file. A cache of another node or V8, a damaged
 * one or none is done without; V8 refuses bytecode that does not fit the source or its flags, and compiles as usual.
 *
 * scripts/build.mjs writes the files, scripts/code-cache.mjs the bytecode. Runs in dist/ only.
 */
import * as fs from 'node:fs';
import * as vm from 'node:vm';

/** Index of `dist/code-cache`. */
export interface CacheIndex {
  /** What the bytecode was made by, see {@link cacheMaker}. */
  readonly maker: string;
  /** File -> offset in the cache and length, bytes; see {@link sampleSum}. */
  readonly files: Readonly<Record<string, readonly [offset: number, length: number, sum: number]>>;
}

type Wrapper = (
  exports: object,
  require: (name: string) => unknown,
  module: { exports: object },
  file: string,
  dir: string,
) => void;

const loaded = new Map<string, { exports: object }>();
let cache: { readonly fd: number; readonly files: CacheIndex['files'] } | undefined;

/** Length of the index, little-endian, at the start of the file. */
const INDEX_LENGTH_BYTES = 4;
/** Words of 4 bytes; many samples in each sector of a disk. */
const SAMPLE_STRIDE = 4;

/** Loads `dist/code/NAME.js` and returns what it exports. */
export function load(name: string): object {
  const known = loaded.get(name);
  if (known !== undefined) return known.exports;
  const module = { exports: {} };
  loaded.set(name, module);
  const dir = `${__dirname}/code`;
  const filename = `${dir}/${name}.js`;
  const source = fs.readFileSync(filename, 'utf8');
  const text = `(function(exports,require,module,__filename,__dirname){${source}\n})`;
  const script = new vm.Script(text, { filename, cachedData: bytecodeOf(name) });
  (script.runInThisContext() as Wrapper)(module.exports, requireFor, module, filename, dir);
  return module.exports;
}

/** The files of dist/code/ require each other by `./NAME.js`; all else is Node's affair. */
function requireFor(name: string): unknown {
  return name.startsWith('./') ? load(name.slice('./'.length, -'.js'.length)) : require(name);
}

/** The machine and program that bytecode belongs to. */
export function cacheMaker(): string {
  return `${process.arch} node ${process.version} V8 ${process.versions.v8}`;
}

function bytecodeOf(name: string): Buffer | undefined {
  cache ??= openCache();
  const [offset, length, sum] = cache.files[name] ?? [];
  if (offset === undefined || length === undefined) return undefined;
  const bytes = readAt(cache.fd, offset, length);
  return bytes.length === length && sampleSum(bytes) === sum ? bytes : undefined;
}

/**
 * Tells bytes from others with which a power failure may leave a file: zeros, or another file's. V8 believes what it is given and
 * would end the process; a sum over all bytes takes longer than the bytecode saves.
 */
export function sampleSum({ buffer, byteOffset, length }: Buffer): number {
  const words = new Int32Array(buffer.slice(byteOffset, byteOffset + length - (length % 4)));
  let sum = length;
  for (let at = 0; at < words.length; at += SAMPLE_STRIDE) sum = (Math.imul(sum, 31) + (words[at] as number)) | 0;
  return sum;
}

/** The descriptor stays open for what is loaded later. */
function openCache(): { fd: number; files: CacheIndex['files'] } {
  try {
    const fd = fs.openSync(`${__dirname}/code-cache`, 'r');
    const length = readAt(fd, 0, INDEX_LENGTH_BYTES).readUInt32LE();
    const index: CacheIndex = JSON.parse(readAt(fd, INDEX_LENGTH_BYTES, length).toString('latin1'));
    if (index.maker === cacheMaker()) return { fd, files: index.files };
    fs.closeSync(fd);
  } catch {
    // None, as while the build records it, or a damaged one.
  }
  return { fd: -1, files: {} };
}

/** Shorter when the file is cut. */
function readAt(fd: number, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(length);
  return bytes.subarray(0, fs.readSync(fd, bytes, 0, length, offset));
}
