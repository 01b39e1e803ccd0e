/**
 * Inflate of a whole stream by libdeflate, where the system has it: up to twice as fast as zlib, but it cannot do part of a stream.
 *
 * Source: libdeflate.h (libdeflate_alloc_decompressor, libdeflate_deflate_decompress, enum libdeflate_result), libdeflate 1.x.
 */
import { loadKoffi } from './natives-koffi.ts';

const LIBRARY = 'libdeflate.so.0';
const RESULT = { success: 0, insufficientSpace: 3 } as const;

/** As inflateWhole of natives-zlib. */
export type InflateWhole = (input: Uint8Array, output: Uint8Array) => number;

/** Opens the library; undefined where it is missing. */
export function openLibdeflate(): InflateWhole | undefined {
  try {
    const library = loadKoffi().load(LIBRARY);
    const allocate = library.func('void *libdeflate_alloc_decompressor(void)');
    const decompress = library.func(
      'int libdeflate_deflate_decompress(void *d, const uint8_t *in, size_t in_n, uint8_t *out, size_t out_n, _Out_ size_t *actual)',
    );
    const decompressor: unknown = allocate();
    const length = [0];
    return (input, output) => {
      const result: number = decompress(decompressor, input, input.length, output, output.length, length);
      if (result === RESULT.success) return length[0] as number;
      if (result === RESULT.insufficientSpace) return output.length;
      throw new Error('not a deflate stream, or one that is cut');
    };
  } catch {
    return undefined;
  }
}
