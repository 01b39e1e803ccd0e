/** The line that ends a pull, which scripts read. Source: ostree-cli A.1 (`pull`, output when not on a terminal). */
import { printSize } from '../../core/index.ts';
import type { PullReport } from './types.ts';

/** Prints what a pull would fetch: in ostree's words, which speak of static deltas alone, or in full. */
export function printDryRun({ planned, metadataFetched }: PullReport, asOstree: boolean): string {
  const { deltas, contentObjects, reusedObjects, downloadBytes, writtenBytes } = planned;
  if (asOstree) {
    const sizes = `${printSize(0)}/${printSize(deltas.downloadBytes)}, ${printSize(deltas.unpackedBytes)} total uncompressed`;
    return `Delta update: 0/${deltas.parts} parts, ${sizes}`;
  }
  const size = (bytes: number | undefined): string => (bytes === undefined ? 'unknown' : printSize(bytes));
  const lines = [
    `Content objects: ${contentObjects}, of which ${reusedObjects} can be made of content that is here`,
    `Download size: ${size(downloadBytes)}; on disk: ${size(writtenBytes)}`,
    `Metadata objects: ${metadataFetched} fetched to find out; a pull will not fetch them again`,
  ];
  const { parts } = deltas;
  if (parts > 0) lines.unshift(`Static deltas: ${parts} parts, ${size(deltas.downloadBytes)}`);
  return lines.join('\n');
}

/** Prints `N metadata, N content objects fetched; N B transferred in N seconds; SIZE content written`. */
export function printPullReport(report: PullReport): string {
  const { metadataFetched, contentFetched, elapsedSec, contentBytesWritten } = report;
  const written = `${printSize(contentBytesWritten)} content written`;
  const objects = `${metadataFetched} metadata, ${contentFetched} content objects`;
  if (report.isLocal) return `${objects} imported; ${written}`;
  const what =
    report.deltaParts > 0
      ? `${report.deltaParts} delta parts, ${metadataFetched + contentFetched} loose fetched`
      : `${objects} fetched`;
  const bytes = report.bytesTransferred - report.overheadBytes;
  const transferred = bytes < 1024 ? `${bytes} B` : `${Math.floor(bytes / 1024)} KiB`;
  return `${what}; ${transferred} transferred in ${elapsedSec} seconds; ${written}`;
}
