/**
 * Draws the progress of a long command on standard error.
 *
 * On a terminal one line that is redrawn (phase, objects, bytes, rate, time left); otherwise a plain line every few
 * seconds, so that logs stay short; on request one JSON object per line. The drawer is told the time and where to
 * write, and keeps no timer: it draws when the job reports.
 */
import type { Progress } from '../core/index.ts';

export const PROGRESS_MODES = ['auto', 'plain', 'json', 'none'] as const;
export type ProgressMode = (typeof PROGRESS_MODES)[number];
export type ProgressStyle = 'bar' | 'plain' | 'json' | 'none';

/** Chooses how to draw: `auto` is a bar on a terminal and plain lines elsewhere. */
export function progressStyle(mode: ProgressMode, isTerminal: boolean): ProgressStyle {
  if (mode !== 'auto') return mode;
  return isTerminal ? 'bar' : 'plain';
}

export interface DrawerOptions {
  readonly style: ProgressStyle;
  readonly write: (text: string) => void;
  readonly nowMs: () => number;
  /** Width of the terminal. */
  readonly columns: number;
}

const INTERVAL_MS: Record<ProgressStyle, number> = { bar: 100, plain: 3000, json: 500, none: Number.POSITIVE_INFINITY };
const CLEAR = '\r\u001b[K';
const BAR_WIDTH = 20;

export class ProgressDrawer {
  readonly #options: DrawerOptions;
  #phase = '';
  #phaseStartMs = 0;
  #lastDrawnMs: number;
  #isShown = false;
  #pending: Progress | undefined;
  #intervalMs: number;

  constructor(options: DrawerOptions) {
    this.#options = options;
    this.#intervalMs = INTERVAL_MS[options.style];
    // Short jobs draw nothing: the first line comes one interval after the start.
    this.#lastDrawnMs = options.nowMs();
  }

  /** Says how often to draw; a style that draws nothing stays so. */
  drawEvery(intervalMs: number): void {
    if (this.#options.style !== 'none') this.#intervalMs = intervalMs;
  }

  /** Takes the state of the job and draws it when the last drawing is old enough. */
  report(progress: Progress): void {
    const now = this.#options.nowMs();
    if (progress.phase !== this.#phase) {
      this.#phase = progress.phase;
      this.#phaseStartMs = now;
    }
    this.#pending = progress;
    if (now - this.#lastDrawnMs >= this.#intervalMs) this.#draw(now);
  }

  /** Takes the bar off the screen, before something else is printed or at the end. */
  clear(): void {
    if (this.#isShown) this.#options.write(CLEAR);
    this.#isShown = false;
  }

  #draw(now: number): void {
    const progress = this.#pending;
    if (progress === undefined) return;
    this.#lastDrawnMs = now;
    const elapsedMs = now - this.#phaseStartMs;
    const { style, write, columns } = this.#options;
    if (style === 'json') write(`${JSON.stringify({ progress: { ...progress, elapsedMs: Math.round(elapsedMs) } })}\n`);
    else if (style === 'plain') write(`${progressLine(progress, elapsedMs)}\n`);
    else {
      write(`${CLEAR}${fittingLine(progress, elapsedMs, Math.max(20, columns - 1))}`);
      this.#isShown = true;
    }
  }
}

/** The line with its bar, or without where the terminal is too narrow for both, cut at its edge. */
function fittingLine(progress: Progress, elapsedMs: number, width: number): string {
  const withBar = progressLine(progress, elapsedMs, BAR_WIDTH);
  return withBar.length <= width ? withBar : progressLine(progress, elapsedMs).slice(0, width);
}

/** Prints one state as a line. `barWidth` 0 leaves the bar out. */
export function progressLine(progress: Progress, elapsedMs: number, barWidth = 0): string {
  const { phase, objectsDone, objectsTotal, bytesDone, bytesTotal } = progress;
  const share = shareDone(progress);
  const parts = [phase];
  if (share !== undefined && barWidth > 0) parts.push(bar(share, barWidth));
  if (share !== undefined) parts.push(`${Math.floor(share * 100)}%`);
  parts.push(objectsTotal === undefined ? `${objectsDone} objects` : `${objectsDone}/${objectsTotal} objects`);
  if (bytesDone > 0) parts.push(bytesTotal === undefined ? size(bytesDone) : `${size(bytesDone)}/${size(bytesTotal)}`);
  parts.push(...savedParts(progress));
  if (bytesDone > 0 && elapsedMs >= 1000) parts.push(`${size(bytesDone / (elapsedMs / 1000))}/s`);
  const left = share === undefined || share === 0 ? undefined : (elapsedMs * (1 - share)) / share;
  if (left !== undefined && elapsedMs >= 1000) parts.push(`${duration(left)} left`);
  return parts.join('  ');
}

/** `saved 1.20 GB (index)`, for each way that saved something. */
function savedParts({ savedBytes: { byIndex, byDeltas } = { byIndex: 0, byDeltas: 0 } }: Progress): string[] {
  const ways: [number, string][] = [
    [byIndex, 'index'],
    [byDeltas, 'deltas'],
  ];
  return ways.flatMap(([bytes, name]) => (bytes > 0 ? [`saved ${size(bytes)} (${name})`] : []));
}

/** By bytes where they are known, since files differ more in size than in cost per file. */
function shareDone({ objectsDone, objectsTotal, bytesDone, bytesTotal }: Progress): number | undefined {
  if (bytesTotal !== undefined && bytesTotal > 0) return Math.min(1, bytesDone / bytesTotal);
  if (objectsTotal !== undefined && objectsTotal > 0) return Math.min(1, objectsDone / objectsTotal);
  return undefined;
}

function bar(share: number, width: number): string {
  const full = Math.floor(share * width);
  return `[${'='.repeat(full)}${full < width ? '>' : ''}${' '.repeat(Math.max(0, width - full - 1))}]`;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Prints a size with three digits in decimal units: `1.23 GB`. */
export function size(bytes: number): string {
  let unit = 0;
  let value = bytes;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : value.toPrecision(3)} ${UNITS[unit]}`;
}

/** Prints a duration as `M:SS` or `H:MM:SS`. */
function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const two = (n: number): string => String(n).padStart(2, '0');
  const minutes = Math.floor(seconds / 60) % 60;
  const hours = Math.floor(seconds / 3600);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
