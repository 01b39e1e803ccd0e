/** `static-delta generate`: makes a static delta. */
import { type Checksum, HacktreeError, printSize } from '../../core/index.ts';
import { type DeltaLimits, hasDelta, type MadeDelta, makeDelta } from '../../remote/index.ts';
import { loadCommit, openRepo, type Repo, resolveRev } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import { asList, usageError } from '../input.ts';
import { readSigner } from '../read-signer.ts';
import type { Input } from '../spec.ts';
import type { deltaGenerate } from '../table/deltas.ts';

type GenerateInput = Input<typeof deltaGenerate>;

export async function run(context: Context, input: GenerateInput): Promise<unknown> {
  const repo = openRepo(context.repoPath);
  const name = readEnds(repo, input);
  const { from, to } = name;
  if (input.ifNotExists && hasDelta(repo, name)) {
    context.line(`Delta ${from === undefined ? to : `${from}-${to}`} already exists.`);
    return { from: from ?? null, to, exists: true };
  }
  const byteOrder = readByteOrder(input);
  context.line('Generating static delta:');
  context.line(`  From: ${from ?? 'empty'}`);
  context.line(`  To:   ${to}`);
  const made = await makeDelta(repo, {
    from,
    to,
    byteOrder,
    limits: readLimits(input),
    inline: input.inline,
    filename: input.filename,
    sign: await readSigner(context, { keys: input.sign, keyFiles: asList(input.keysFile), type: input.signType }),
    threads: input.threads,
    onLockWait: context.onLockWait,
  });
  if (context.frontEnd === 'hacktree') printReport(context, made);
  return { from: from ?? null, to, exists: false, ...made };
}

/** Errors: `usage`, `ref-not-found`. */
function readEnds(repo: Repo, input: GenerateInput): { from: Checksum | undefined; to: Checksum } {
  const rev = input.to ?? input.rev;
  if (rev === undefined) throw usageError('TO revision must be specified');
  if (input.empty && input.from !== undefined) throw usageError('Cannot specify both --empty and --from=REV');
  const to = resolveRev(repo, rev);
  if (input.empty) return { from: undefined, to };
  const from = input.from === undefined ? loadCommit(repo, to).parent : resolveRev(repo, input.from);
  if (from !== undefined) return { from, to };
  throw new HacktreeError('object-missing', `Commit ${to} has no parent`, {
    details: { object: `${to}.commit` },
    hints: ['--empty makes a delta for clients that have nothing.'],
  });
}

/** Errors: `usage`. */
function readByteOrder({ setEndianness, swapEndianness }: GenerateInput): 'little' | 'big' {
  if (setEndianness === undefined) return swapEndianness ? 'big' : 'little';
  if (setEndianness !== 'l' && setEndianness !== 'B') throw usageError(`Invalid endianness '${setEndianness}'`);
  return (setEndianness === 'B') === swapEndianness ? 'little' : 'big';
}

const MEGABYTE = 1_000_000;

function readLimits(input: GenerateInput): Partial<DeltaLimits> {
  const { minFallbackSize, maxBsdiffSize, maxChunkSize } = input;
  return {
    ...(minFallbackSize === undefined ? {} : { minFallbackBytes: megabytes(minFallbackSize) }),
    ...(maxBsdiffSize === undefined ? {} : { maxBsdiffBytes: megabytes(maxBsdiffSize) }),
    // 0: each object is a part of its own.
    ...(maxChunkSize === undefined ? {} : { maxChunkBytes: Math.max(1, megabytes(maxChunkSize)) }),
    ...(input.disableBsdiff ? { maxBsdiffBytes: 0 } : {}),
  };
}

/** Errors: `usage`. */
function megabytes(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text) * MEGABYTE;
  throw usageError(`Invalid size '${text}', expected a whole number of megabytes`);
}

function printReport(context: Context, { partCount, partBytes, superblockBytes, fallbackCount, path }: MadeDelta): void {
  const parts = `${partCount} part${partCount === 1 ? '' : 's'}`;
  const fallbacks = fallbackCount === 0 ? '' : `, ${fallbackCount} objects to fetch besides`;
  context.line(`${parts}, ${printSize(Number(partBytes) + superblockBytes)}${fallbacks}: ${path}`);
}
