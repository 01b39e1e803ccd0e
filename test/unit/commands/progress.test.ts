/** The progress line: what it says, how often, and that it leaves the screen clean. */
import { describe, expect, it } from '@jest/globals';
import { ProgressDrawer, type ProgressStyle, progressLine, progressStyle, size } from '../../../src/commands/progress.ts';

const half = { phase: 'Writing objects', objectsDone: 50, objectsTotal: 100, bytesDone: 5_000_000, bytesTotal: 10_000_000 };

describe('progressLine', () => {
  it('says phase, share, objects, bytes, rate and time left', () => {
    expect(progressLine(half, 10_000)).toBe('Writing objects  50%  50/100 objects  5.00 MB/10.0 MB  500 kB/s  0:10 left');
    expect(progressLine(half, 10_000, 10)).toContain('[=====>    ]');
  });

  it('says what the index and deltas save', () => {
    const saving = (byIndex: number, byDeltas: number): string =>
      progressLine({ phase: 'p', objectsDone: 1, bytesDone: 0, savedBytes: { byIndex, byDeltas } }, 0);
    expect(saving(0, 0)).toBe('p  1 objects');
    expect(saving(1_200_000, 0)).toBe('p  1 objects  saved 1.20 MB (index)');
    expect(saving(1_200_000, 30)).toBe('p  1 objects  saved 1.20 MB (index)  saved 30 B (deltas)');
  });

  it('leaves out what is not known', () => {
    expect(progressLine({ phase: 'Scanning', objectsDone: 7, bytesDone: 0 }, 5000)).toBe('Scanning  7 objects');
  });

  it('counts objects where there are no bytes', () => {
    expect(progressLine({ phase: 'Linking', objectsDone: 1, objectsTotal: 4, bytesDone: 0 }, 7_200_000)).toBe(
      'Linking  25%  1/4 objects  6:00:00 left',
    );
  });

  it('stays within its bar when more is done than was announced', () => {
    const line = progressLine({ phase: 'x', objectsDone: 3, objectsTotal: 2, bytesDone: 20, bytesTotal: 10 }, 0, 4);
    expect(line).toBe('x  [====]  100%  3/2 objects  20 B/10 B');
  });
});

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.00 kB'],
  [999_600, '1.00 MB'],
  [1_234_567_890, '1.23 GB'],
])('prints %d bytes as %s', (bytes, text) => {
  expect(size(bytes)).toBe(text);
});

describe('ProgressDrawer', () => {
  const open = (style: ProgressStyle) => {
    const written: string[] = [];
    let nowMs = 0;
    const drawer = new ProgressDrawer({ style, write: (text) => written.push(text), nowMs: () => nowMs, columns: 80 });
    const at = (ms: number, objectsDone: number): void => {
      nowMs = ms;
      drawer.report({ phase: 'p', objectsDone, objectsTotal: 10, bytesDone: 0 });
    };
    return { written, drawer, at };
  };

  it('draws nothing for a short job', () => {
    const { written, drawer, at } = open('plain');
    at(0, 1);
    at(2999, 9);
    drawer.clear();
    expect(written).toEqual([]);
  });

  it('draws a plain line every few seconds', () => {
    const { written, at } = open('plain');
    for (let ms = 0; ms <= 7000; ms += 500) at(ms, 5);
    expect(written).toHaveLength(2);
    expect(written[0]).toMatch(/^p {2}50% {2}5\/10 objects.*\n$/);
  });

  it('redraws one line and takes it away', () => {
    const { written, drawer, at } = open('bar');
    at(100, 1);
    at(150, 2);
    at(200, 3);
    drawer.clear();
    drawer.clear();
    expect(written).toHaveLength(3);
    expect(written.slice(0, 2).every((text) => text.startsWith('\r\u001b[K') && !text.includes('\n'))).toBe(true);
    expect(written[2]).toBe('\r\u001b[K');
  });

  it('prints JSON lines on request', () => {
    const { written, at } = open('json');
    at(600, 4);
    expect(JSON.parse(written[0] ?? '')).toEqual({
      progress: { phase: 'p', objectsDone: 4, objectsTotal: 10, bytesDone: 0, elapsedMs: 0 },
    });
  });

  it('gives the bar up before what it says', () => {
    const lineAt = (columns: number): string => {
      let text = '';
      let nowMs = 0;
      const drawer = new ProgressDrawer({ style: 'bar', write: (each) => (text += each), nowMs: () => nowMs, columns });
      nowMs = 100;
      drawer.report({ ...half, savedBytes: { byIndex: 1_200_000_000, byDeltas: 0 } });
      return text.slice('\r\u001b[K'.length);
    };
    const counts = '50%  50/100 objects  5.00 MB/10.0 MB  saved 1.20 GB (index)';
    expect(lineAt(120)).toBe(`Writing objects  [==========>         ]  ${counts}`);
    expect(lineAt(80)).toBe(`Writing objects  ${counts}`);
    expect(lineAt(40)).toBe(`Writing objects  ${counts}`.slice(0, 39));
  });

  it('is a bar on a terminal only', () => {
    expect([progressStyle('auto', true), progressStyle('auto', false), progressStyle('none', true)]).toEqual([
      'bar',
      'plain',
      'none',
    ]);
  });
});
