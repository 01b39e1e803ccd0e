/** `static-delta show`: says what is in a static delta. */
import { printSize } from '../../core/index.ts';
import { type DeltaFacts, type DeltaPartFacts, describeDelta, describePart, openDelta } from '../../remote/index.ts';
import { openRepo } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import { deltaPlace } from '../delta-place.ts';
import type { Input } from '../spec.ts';
import type { deltaShow } from '../table/deltas.ts';

export async function run(context: Context, { delta: name }: Input<typeof deltaShow>): Promise<unknown> {
  const stored = openDelta(openRepo(context.repoPath), deltaPlace(name));
  const facts = describeDelta(stored);
  for (const line of headLines(name, facts)) context.line(line);
  const parts: DeltaPartFacts[] = [];
  for (let i = 0; i < facts.partCount; i++) {
    const part = await describePart(stored, i);
    for (const line of partLines(i, part)) context.line(line);
    parts.push(part);
  }
  for (const line of totalLines(facts, parts)) context.line(line);
  return { name, ...facts, from: facts.from ?? null, parts };
}

function headLines(name: string, facts: DeltaFacts): string[] {
  return [
    `Delta: ${name}`,
    `Signed: ${facts.isSigned ? 'yes' : 'no'}`,
    facts.from === undefined ? 'From <scratch>' : `From: ${facts.from}`,
    `To: ${facts.to}`,
    `Endianness: ${facts.byteOrder}`,
    `Timestamp: ${facts.timestampSec}`,
    'Number of parents: 0',
    `Number of fallback entries: ${facts.fallbackCount}`,
    `Total Fallback Size: ${sizeText(facts.fallbackBytes)}`,
    `Total Fallback Uncompressed Size: ${sizeText(facts.fallbackUnpackedBytes)}`,
    `Number of parts: ${facts.partCount}`,
  ];
}

function partLines(i: number, part: DeltaPartFacts): string[] {
  const count = part.operations;
  return [
    `PartMeta${i}: nobjects=${part.objectCount} size=${part.sizeBytes} usize=${part.unpackedBytes}`,
    `PartPayload${i}: nmodes=${part.modeCount} nxattrs=${part.xattrsCount} blobsize=${part.blobBytes} opsize=${part.programBytes}`,
    `PartPayloadOps${i}: openspliceclose=${count.splice} open=${count.open} write=${count.write} setread=${count['set-read-source']} ` +
      `unsetread=${count['unset-read-source']} close=${count.close} bspatch=${count.bspatch}`,
  ];
}

function totalLines(facts: DeltaFacts, parts: readonly DeltaPartFacts[]): string[] {
  const size = parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0n);
  const unpacked = parts.reduce((sum, { unpackedBytes }) => sum + unpackedBytes, 0n);
  return [
    `Total Part Size: ${sizeText(size)}`,
    `Total Part Uncompressed Size: ${sizeText(unpacked)}`,
    `Total Size: ${sizeText(size + facts.fallbackBytes)}`,
    `Total Uncompressed Size: ${sizeText(unpacked + facts.fallbackUnpackedBytes)}`,
  ];
}

function sizeText(bytes: bigint): string {
  return `${bytes} (${printSize(Number(bytes))})`;
}
