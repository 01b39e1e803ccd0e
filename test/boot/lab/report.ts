/** Reads what the guest's report (guest/lab-report) said. */
import { BOOT_LIMIT_MS, type Vm } from './vm.ts';

export class Report {
  readonly #lines: readonly string[];

  constructor(text: string) {
    // A login prompt may stand before the first word.
    this.#lines = text.split('\n').flatMap((line) => /(?<=lab: ).*/.exec(line)?.[0].trimEnd() ?? []);
  }

  /** Values of all lines that start with a key. */
  all(key: string): string[] {
    return this.#lines.filter((line) => line === key || line.startsWith(`${key} `)).map((line) => line.slice(key.length + 1));
  }

  /** Value of the one line with this key; undefined when there is none. */
  one(key: string): string | undefined {
    const [value, ...more] = this.all(key);
    if (more.length > 0) throw new Error(`The guest said '${key}' more than once: ${[value, ...more].join(' | ')}`);
    return value;
  }

  /** Directories that could be written to. */
  get writable(): string[] {
    return this.all('write').flatMap((line) => (line.endsWith(' yes') ? [line.slice(0, -' yes'.length)] : []));
  }
}

/** Waits for the next report of a machine, which may come after a number of starts. */
export async function waitForReport(vm: Vm, starts = 1): Promise<Report> {
  await vm.waitFor(/lab: begin\n/, starts * BOOT_LIMIT_MS);
  const from = vm.text.lastIndexOf('lab: begin\n');
  await vm.waitFor(/lab: end\n/);
  return new Report(vm.text.slice(from));
}

/** Waits until QEMU exits, and reads all that was reported since the machine's last start. */
export async function reportUntilExit(vm: Vm, limitMs: number): Promise<Report> {
  await vm.waitForExit(limitMs);
  return new Report(vm.text.slice(vm.text.lastIndexOf('lab: begin\n')));
}
