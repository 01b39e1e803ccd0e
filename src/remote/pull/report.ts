/** The line that ends a pull, which scripts read. Source: ostree-cli A.1 (`pull`, output when not on a terminal). */
import type { PullReport } from './pull.ts';

/** Prints a size as GLib does: SI units, one digit after the point. */
function printSize(bytes: number): string {
  const units = ['kB', 'MB', 'GB', 'TB', 'PB'];
  if (bytes < 1000) return `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`;
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value.toFixed(1)}\u00a0${units[unit]}`;
}

/** Prints `N metadata, N content objects fetched; N B transferred in N seconds; SIZE content written`. */
export function printPullReport(report: PullReport): string {
  const { metadataFetched, contentFetched, bytesTransferred, elapsedSec, contentBytesWritten } = report;
  const written = `${printSize(contentBytesWritten)} content written`;
  const objects = `${metadataFetched} metadata, ${contentFetched} content objects`;
  if (report.isLocal) return `${objects} imported; ${written}`;
  const what =
    report.deltaParts > 0
      ? `${report.deltaParts} delta parts, ${metadataFetched + contentFetched} loose fetched`
      : `${objects} fetched`;
  const transferred = bytesTransferred < 1024 ? `${bytesTransferred} B` : `${Math.floor(bytesTransferred / 1024)} KiB`;
  return `${what}; ${transferred} transferred in ${elapsedSec} seconds; ${written}`;
}
